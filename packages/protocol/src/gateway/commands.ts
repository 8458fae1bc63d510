/**
 * Every message a client sends over the gateway (spec 06, sections 3 and 8). The server ignores types it does not know,
 * so a client may use a command that only newer servers understand.
 */
import { codePoints } from '../decode.ts'
import {
  accepting,
  Fields,
  Flag,
  Id,
  Integer,
  JsonObject,
  List,
  Maybe,
  OneOf,
  OpenFields,
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
const GatewayId = accepting(Integer(0, 2 ** 32 - 1), withoutText)

/** `true` or `false` in a command. The words and numbers that REST accepts are refused here. */
const GatewayFlag = accepting(Flag, (raw) => (typeof raw === 'boolean' ? raw : undefined))

function withoutText(raw: unknown): unknown {
  return typeof raw === 'string' ? Number.NaN : raw
}

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

/**
 * Says what a participant of a voice room does: only what is given changes (spec 06, section 8.4). `MISSING_PERMISSIONS`,
 * and nothing changes, for `video` without VIDEO and `streaming` without STREAM in the room.
 */
export const updateVoiceState = command(
  'voice_state_update',
  Fields({
    self_mute: Maybe(GatewayFlag),
    self_deaf: Maybe(GatewayFlag),
    video: Maybe(GatewayFlag),
    streaming: Maybe(GatewayFlag),
  }),
)

/**
 * Tells everybody in the voice room what the device can do; further keys are passed on as they came (spec 06, section
 * 8.7). `MISSING_ROOM_ID` without a room, `PAYLOAD_TOO_LARGE` above `relay_payload_max` characters of JSON.
 */
export const negotiateCodec = command(
  'voice_codec_neg',
  OpenFields({ room_id: Maybe(GatewayId), media_type: Maybe(Text()), codec: Maybe(Text()) }),
)

/**
 * Answers a request to speak (`request_ack`, with STAGE_MODERATOR) or an invite (`invite_ack`), before everybody in the
 * room (spec 06, section 8.8). `MISSING_ROOM_ID` without a room.
 */
export const respondOnStage = command(
  'stage_response',
  Fields({
    room_id: Maybe(GatewayId),
    response_type: Maybe(Text({ max: 64 })),
    accepted: Maybe(GatewayFlag),
    target_id: Maybe(accepting(Id, withoutText)),
  }),
)

const MAX_GROUP_ID = 255

/**
 * Hands an MLS message on to the other members of its conversation (spec 06, section 8.5). `data` may have four times
 * `relay_payload_max` characters less 1024. Other types than `welcome`, `commit` and `proposal` do nothing.
 */
export const relayMls = command(
  'mls_relay',
  accepting(
    Fields({ mls_type: Text(), data: Maybe(Text()), dm_id: Maybe(GatewayId), group_id: Maybe(Text()) }),
    withoutUnusableGroupId,
  ),
)

/** A group id that cannot be one counts as left out; the message itself names the group. */
function withoutUnusableGroupId(input: unknown): unknown {
  const { group_id: id, ...others } = input as Record<string, unknown>
  const isText = typeof id === 'string' && id.isWellFormed() && !id.includes('\0')
  return isText && codePoints(id) <= MAX_GROUP_ID ? input : others
}

const PairingText = Text({ max: 256 })

/**
 * Hands a message of the pairing dialogue on to the user's own sessions (spec 06, section 8.6). `data` may have
 * `relay_payload_max` characters. Other types than `isi`, `rsi`, `confirm` and `new_device_key` do nothing.
 */
export const relayCpace = command(
  'cpace_relay',
  Fields({ cpace_type: Text(), pair_id: Maybe(PairingText), data: Maybe(Text()), nonce: Maybe(PairingText) }),
)

/** All commands. */
export const GATEWAY_COMMANDS: readonly GatewayCommand[] = [
  identify,
  resume,
  heartbeat,
  updatePresence,
  sendTyping,
  updateVoiceState,
  negotiateCodec,
  respondOnStage,
  relayMls,
  relayCpace,
]
