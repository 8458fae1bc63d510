import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type NetConnectOpts, type Server, type Socket } from 'node:net'

/** Stands between a client and a server and can be a bad network. */
export class TcpProxy implements AsyncDisposable {
  /** Sees what the client sends; false keeps it from the server and cuts the client off. */
  fromClient: (chunk: Buffer) => boolean = () => true
  /** Sees what the server sends; false keeps it from the client and cuts the client off. */
  fromServer: (chunk: Buffer) => boolean = () => true
  readonly #target: NetConnectOpts
  readonly #sockets = new Set<Socket>()
  #server: Server
  port = 0

  private constructor(target: NetConnectOpts) {
    this.#target = target
    this.#server = this.#listener()
  }

  static async start(target: NetConnectOpts): Promise<TcpProxy> {
    const proxy = new TcpProxy(target)
    await proxy.connect()
    return proxy
  }

  /** Accepts connections, on the same port as before. */
  async connect(): Promise<void> {
    this.#server = this.#listener().listen(this.port, '127.0.0.1')
    await once(this.#server, 'listening')
    this.port = (this.#server.address() as AddressInfo).port
  }

  /** Breaks all connections, on both sides, and accepts no more. */
  async disconnect(): Promise<void> {
    const closed = once(this.#server, 'close')
    this.#server.close()
    for (const socket of this.#sockets) socket.destroy()
    await closed
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#server.listening) await this.disconnect()
  }

  #listener(): Server {
    return createServer((client) => {
      const server = connect(this.#target)
      this.#sockets.add(client).add(server)
      const relay = (from: Socket, to: Socket, passes: (chunk: Buffer) => boolean) => {
        from.on('data', (chunk) => (passes(chunk) ? to.write(chunk) : client.destroy()))
        from.on('error', () => {})
        from.on('close', () => this.#sockets.delete(from))
      }
      relay(client, server, (chunk) => this.fromClient(chunk))
      relay(server, client, (chunk) => this.fromServer(chunk))
      server.on('close', () => client.destroy())
    })
  }
}
