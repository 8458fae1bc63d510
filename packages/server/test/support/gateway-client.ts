import { type Received, TestSocket } from './gateway.ts'
import type { TestServer } from './server.ts'

/** An event as a client is told it. */
export type Told = [type: string, data: unknown]

/** A gateway session of an account on a test server. */
export class GatewayClient {
  readonly socket: TestSocket
  /** The presences it was told right after `ready`. */
  readonly snapshot: unknown[]
  /** What `ready` said. */
  readonly ready: Record<string, unknown>

  constructor(socket: TestSocket, ready: Record<string, unknown>, snapshot: unknown[]) {
    this.socket = socket
    this.ready = ready
    this.snapshot = snapshot
  }

  /** Connects with the client's token; unless it is to be left unread, the presence snapshot has been read. */
  static async connect(
    server: TestServer,
    { token = '' }: { token?: string | undefined },
    { settled = true } = {},
  ): Promise<GatewayClient> {
    const socket = new TestSocket(`${server.url.replace('http', 'ws')}/gateway`, undefined)
    await socket.next('hello')
    socket.send('identify', { token })
    const { d: ready } = await socket.next('ready')
    const snapshot = settled ? await socket.rest() : []
    return new GatewayClient(
      socket,
      ready,
      snapshot.map(({ d }) => d),
    )
  }

  /** All it was told since the last call, in order, but for presences. A request's events precede its answer. */
  async told(): Promise<Told[]> {
    return (await this.#rest()).filter(({ type }) => type !== 'presence_update').map(asTold)
  }

  /** The presences it was told since the last call. */
  async presences(): Promise<unknown[]> {
    return (await this.#rest()).filter(({ type }) => type === 'presence_update').map(({ d }) => d)
  }

  /** The answer to a heartbeat may overtake what waits to be sent, but not what waited before the heartbeat came. */
  async #rest(): Promise<Received[]> {
    return [...(await this.socket.rest()), ...(await this.socket.rest())]
  }

  /** What it was told before the server closed the connection, and the close code. */
  async lastWords(): Promise<{ told: Told[]; code: number }> {
    const [code] = await this.socket.closed
    const told: Told[] = []
    for (let message = await this.#left(); message; message = await this.#left()) told.push(asTold(message))
    return { told, code }
  }

  #left(): Promise<Received | undefined> {
    return this.socket.next().catch(() => undefined)
  }
}

const asTold = ({ type, d }: Received): Told => [type, d]

/** Connects several accounts at once, in the order given. */
export function connectAll(server: TestServer, ...clients: { token?: string | undefined }[]): Promise<GatewayClient[]> {
  return Promise.all(clients.map((client) => GatewayClient.connect(server, client)))
}
