import { type IncomingMessage, STATUS_CODES } from 'node:http'
import type { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { type CloseReason, heartbeat, identify, PROTOCOL_VERSION, resume } from '@vox/protocol'
import { WebSocketServer } from 'ws'
import type { Timer } from '../clock.ts'
import type { Happening } from '../events/spaces.ts'
import { addressGroup } from '../http/client-address.ts'
import { Admission, Place } from './admission.ts'
import { Announcements } from './announcements.ts'
import type { BacklogSource } from './backlog.ts'
import { Commands } from './commands.ts'
import { Connection, type ConnectionHost } from './connection.ts'
import { DEFAULT_TIMINGS, type GatewayContext, type Timings } from './context.ts'
import type { Message } from './envelope.ts'
import { GatewayClose } from './failures.ts'
import { FanOut } from './fan-out.ts'
import { FlushQueues } from './flush-queues.ts'
import { ControlFrame, encodeEvent } from './frames.ts'
import { Handshake } from './handshake.ts'
import { Hub } from './hub.ts'
import { LocalPresences, type PresenceData, type Presences } from './presence.ts'
import { addPresence } from './presence-command.ts'
import type { Session } from './session.ts'
import { SessionTable } from './session-table.ts'
import { addTyping } from './typing.ts'
import { addVoice } from './voice.ts'
import { GatewayWebSocket } from './web-socket.ts'

const PATH = '/gateway'

/** Longest message that is taken in at all. */
const MAX_MESSAGE = 16 * 1024 * 1024

/** How often everything that has a time limit is looked at; one timer for all sessions. */
const SWEEP_MS = 1_000

const HEARTBEAT_ACK = new ControlFrame({ type: 'heartbeat_ack' })

/** What is going on, for the metrics. */
export interface GatewayStats {
  sockets: number
  liveSessions: number
  resumableSessions: number
  /** Since the start: sessions opened and resumed, connections closed by us, events and how often they were received. */
  opened: number
  resumed: number
  closes: ReadonlyMap<CloseReason, number>
  events: number
  deliveries: number
}

/** The push channel of the server (spec 06). Features add their commands to `commands`; events come from the bus. */
export class Gateway {
  /** What authenticated clients may ask for. */
  readonly commands: Commands
  readonly #context: GatewayContext
  readonly #timings: Timings
  readonly #server: SocketServer
  readonly #hello: ControlFrame
  readonly #connections = new Set<Connection>()
  readonly #closes = new Map<CloseReason, number>()
  readonly #host: ConnectionHost
  readonly #sessions = new SessionTable()
  readonly #admission: Admission
  readonly #presences: Presences
  readonly #hub: Hub
  readonly #fanOut: FanOut
  readonly #handshake: Handshake
  readonly #sweeping: Timer
  #isClosing = false
  #allGone: (() => void) | undefined

  constructor(context: GatewayContext) {
    this.#context = context
    this.#timings = context.timings ?? DEFAULT_TIMINGS
    this.#hello = new ControlFrame({ type: 'hello', d: { heartbeat_interval: this.#timings.heartbeatInterval } })
    this.#server = webSocketServer(this.#timings)
    this.#host = this.#connectionHost()
    this.#admission = new Admission(context.limits)
    this.#fanOut = new FanOut(this.#sessions, context)
    const announcements = new Announcements(context.clock, this.#timings.patience, (changes) =>
      this.#fanOut.announce(changes),
    )
    this.#presences = new LocalPresences(context, announcements)
    this.#hub = new Hub(context, this.#timings, this.#sessions, this.#presences)
    this.#handshake = new Handshake(context, this.#admission, this.#hub)
    this.commands = this.#ownCommands()
    context.bus.subscribe(
      (published) => this.#fanOut.deliver(published),
      () => this.#sessions.userIds(),
    )
    this.#sweeping = context.clock.every(SWEEP_MS, () => this.#sweep())
  }

  #ownCommands(): Commands {
    const commands = new Commands(this.#context.limits)
    commands.on(heartbeat, (session) => {
      session.connection?.outbox.send(HEARTBEAT_ACK)
      this.#hub.beat(session)
    })
    addPresence(commands, this.#presences, this.#context)
    addTyping(commands, this.#context)
    addVoice(commands, this.#context)
    return commands
  }

  // --- sockets -----------------------------------------------------------------------------------------------------

  /** Takes over a request to upgrade; for the `upgrade` event of the HTTP server. */
  handleUpgrade(request: IncomingMessage, duplex: Duplex, head: Buffer): void {
    // Node hands over the TCP or TLS socket of the request; only the type of the event is wider.
    const socket = duplex as Socket
    const [path, query = ''] = (request.url ?? '').split('?', 2)
    const refusal = path === PATH ? (this.#isClosing ? 503 : undefined) : 404
    if (refusal) refuseUpgrade(socket, refusal)
    else
      this.#server.handleUpgrade(request, socket, head, (ws) =>
        this.#welcome(ws, socket, new URLSearchParams(query), this.#context.clientAddress(request)),
      )
  }

  #welcome(ws: GatewayWebSocket, socket: Socket, query: URLSearchParams, address: string | undefined): void {
    const place = new Place(address === undefined ? undefined : addressGroup(address))
    const connection = new Connection({ ws, socket, compressed: query.get('compress') === 'zstd', place }, this.#host)
    this.#connections.add(connection)
    const refusal = this.#admission.refuseSocket(place.group) ?? refusedParameter(query)
    if (refusal) connection.close(refusal)
    else {
      place.moveTo(this.#admission.waiting)
      connection.outbox.send(this.#hello)
    }
  }

  #connectionHost(): ConnectionHost {
    return {
      clock: this.#context.clock,
      limits: this.#context.limits,
      queues: new FlushQueues(this.#context.clock, this.#timings.patience),
      handle: (connection, message) => this.#handle(connection, message),
      closes: (reason) => this.#closes.set(reason, (this.#closes.get(reason) ?? 0) + 1),
      leaves: (session, reason) => {
        // At the planned stop everybody leaves, so nobody is told of it.
        if (!this.#isClosing) this.#hub.disconnected(session, reason)
      },
      gone: (connection) => {
        this.#connections.delete(connection)
        if (this.#connections.size === 0) this.#allGone?.()
      },
      report: (err) => this.#context.log.error({ err }, 'a gateway connection failed'),
    }
  }

  #handle(connection: Connection, message: Message): void | Promise<void> {
    if (!connection.session) return this.#handshake.begin(connection, message)
    if (message.type === identify.type || message.type === resume.type) throw new GatewayClose('ALREADY_AUTHENTICATED')
    return this.commands.run(connection.session, message)
  }

  #sweep(): void {
    const now = this.#context.clock.now()
    for (const connection of this.#connections) {
      const { silentSince } = connection
      if (silentSince !== undefined && now - silentSince >= this.#timings.identifyTimeout)
        connection.close('NOT_AUTHENTICATED')
    }
    this.#hub.sweep(now)
    this.#fanOut.sweep(now)
    this.#presences.sweep(now)
    this.#admission.sweep(now)
  }

  // --- for the rest of the server ----------------------------------------------------------------------------------

  /** A token has ended: so have the sessions that were opened with it. */
  endAuthSession(authSessionId: number): void {
    this.#hub.endAuthSession(authSessionId)
  }

  /** The user is no active member any more. */
  endUser(userId: number): void {
    this.#hub.endUser(userId)
  }

  /** Whether the user has a live session. */
  isConnected(userId: number): boolean {
    return this.#hub.liveSessionsOf(userId).length > 0
  }

  /** Whether the user has a session that is live or can be resumed: then what is published reaches it. */
  hasSession(userId: number): boolean {
    return this.#hub.hasSession(userId)
  }

  /** From now on sessions begin with what this source owes their users. */
  beginWith(source: BacklogSource): void {
    this.#handshake.backlogs = source
  }

  /** Tells one session alone. */
  tell({ event, data }: Happening, session: Session): void {
    session.append(encodeEvent(event, data, this.#context.clock.now()))
  }

  /** Calls with the user of each new session that has been told who is online: the time to bring up what has waited. */
  onCaughtUp(listener: (userId: number) => void): void {
    this.#hub.onCaughtUp(listener)
  }

  /** What the viewer may know of the user's presence. */
  presenceOf(userId: number, viewerId: number): PresenceData {
    return this.#presences.shownTo(viewerId, userId)
  }

  /** Of two users one has blocked the other, or neither has any more; both are told what they see now. */
  sightChanged(userId: number, otherId: number): void {
    this.#presences.sightChanged(userId, otherId)
  }

  get stats(): GatewayStats {
    const sessions = [...this.#sessions.all()]
    const live = sessions.filter(({ isLive }) => isLive).length
    return {
      sockets: this.#connections.size,
      liveSessions: live,
      resumableSessions: sessions.length - live,
      opened: this.#hub.opened,
      resumed: this.#hub.resumed,
      closes: this.#closes,
      events: this.#fanOut.events,
      deliveries: this.#fanOut.deliveries,
    }
  }

  /** The planned stop: every client is told to come back; resolves when all connections are closed. */
  async close(): Promise<void> {
    this.#isClosing = true
    this.#sweeping.cancel()
    if (this.#connections.size === 0) return
    const allGone = new Promise<void>((resolve) => {
      this.#allGone = resolve
    })
    for (const connection of this.#connections) connection.close('SERVER_RESTART')
    await allGone
  }
}

type SocketServer = InstanceType<typeof WebSocketServer<typeof GatewayWebSocket>>

function webSocketServer({ closeTimeout }: Timings): SocketServer {
  const options = {
    noServer: true,
    clientTracking: false,
    perMessageDeflate: false,
    // Without this, `ws` agrees to whatever subprotocol comes first.
    handleProtocols: () => false as const,
    WebSocket: GatewayWebSocket,
    maxPayload: MAX_MESSAGE,
    // Invalid text has a close code of its own here, so it is looked for when a message is read.
    skipUTF8Validation: true,
    // Missing in the typings so far.
    closeTimeout,
  }
  return new WebSocketServer(options)
}

/** Why the query string of the URL is not accepted, if so; unknown parameters are ignored (spec 06, section 1). */
function refusedParameter(query: URLSearchParams): CloseReason | undefined {
  if ((query.get('v') ?? `${PROTOCOL_VERSION}`) !== `${PROTOCOL_VERSION}`) return 'VERSION_MISMATCH'
  return (query.get('encoding') ?? 'json') === 'json' ? undefined : 'DECODE_ERROR'
}

function refuseUpgrade(socket: Socket, status: 404 | 503): void {
  socket.on('error', () => socket.destroy())
  socket.end(`HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`)
}
