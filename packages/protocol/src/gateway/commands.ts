/**
 * Every message a client sends over the gateway (spec 06, sections 3 and 8). The server ignores types it does not know,
 * so a client may use a command that only newer servers understand.
 */
import {
  accepting,
  Fields,
  Integer,
  JsonObject,
  List,
  Maybe,
  OneOf,
  refine,
  Seconds,
  type Static,
  Text,
  type TObject,
} from '../schema.ts'

/** The protocol version in force; there has been one only (spec 06, section 1). */
export const PROTOCOL_VERSION = 1

/** Codes of the errors that answer a command and leave the connection open (spec 06, section 9). */
export type CommandErrorCode =
  | 'INVALID_STATUS'
  | 'PAYLOAD_TOO_LARGE'
  | 'MISSING_ROOM_ID'
  | 'MISSING_PERMISSIONS'
  | 'VALIDATION_ERROR'

/** A declared command. */
export interface GatewayCommand<D extends TObject = TObject> {
  readonly type: string
  readonly data: D
  /** Other names under which clients send it. */
  readonly aliases: readonly string[]
  /** Fields whose refusal has a code of its own; that of all others is `VALIDATION_ERROR`. */
  readonly refusals: Readonly<Record<string, CommandErrorCode>>
}

/** The `d` of a command, decoded. */
export type InputOf<C extends GatewayCommand> = Static<C['data']>

interface CommandOptions {
  aliases?: readonly string[]
  refusals?: Readonly<Record<string, CommandErrorCode>>
}

function command<D extends TObject>(type: string, data: D, options: CommandOptions = {}): GatewayCommand<D> {
  return { type, data, aliases: options.aliases ?? [], refusals: options.refusals ?? {} }
}

/** An id in a command: a JSON integer. Decimal text, which REST accepts, is refused here. */
const GatewayId = accepting(Integer(0, 2 ** 32 - 1), (raw) => (typeof raw === 'string' ? Number.NaN : raw))

/** Starts a new session. */
export const identify = command(
  'identify',
  Fields({ token: Text(), protocol_version: Maybe(Integer()), capabilities: Maybe(List(Text())) }),
)

/** Continues a session whose connection was lost. */
export const resume = command('resume', Fields({ token: Text(), session_id: Text(), last_seq: Maybe(Integer(0)) }))

/** Says that the client is alive; due every `heartbeat_interval` of `hello`. */
export const heartbeat = command('heartbeat', Fields({}))

/** Statuses a user may choose. */
export const ChosenStatus = OneOf('online', 'idle', 'dnd', 'invisible')

/** Replaces the presence of the user; what is left out is cleared. */
export const updatePresence = command(
  'presence_update',
  Fields({
    status: Maybe(accepting(ChosenStatus, (raw) => (raw === 'offline' ? 'invisible' : raw))),
    custom_status: Maybe(
      accepting(Fields({ text: Maybe(Text()), emoji: Maybe(Text()), expiry: Maybe(Seconds) }), (raw) =>
        typeof raw === 'string' ? { text: raw } : raw,
      ),
    ),
    activity: Maybe(JsonObject),
  }),
  { refusals: { status: 'INVALID_STATUS' } },
)

/** Says that the user is writing; clients repeat it about every 8 s. */
export const sendTyping = command(
  'typing',
  refine(Fields({ feed_id: Maybe(GatewayId), dm_id: Maybe(GatewayId) }), ({ feed_id, dm_id }) =>
    (feed_id === undefined) === (dm_id === undefined) ? 'exactly one of feed_id and dm_id is required' : undefined,
  ),
  { aliases: ['typing_start'] },
)

/** All commands. */
export const GATEWAY_COMMANDS: readonly GatewayCommand[] = [identify, resume, heartbeat, updatePresence, sendTyping]
