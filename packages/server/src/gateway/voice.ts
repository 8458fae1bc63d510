import {
  codePoints,
  type InputOf,
  negotiateCodec,
  Permission,
  respondOnStage,
  stageResponse,
  stringifyJson,
  updateVoiceState,
  voiceCodecNeg,
} from '@vox/protocol'
import type { SpaceRef } from '../events/audience.ts'
import type { Commands } from './commands.ts'
import type { GatewayContext } from './context.ts'
import { CommandError } from './failures.ts'

/** What a participant says of themselves; what is left out stays as it is. */
export type VoiceFlags = InputOf<typeof updateVoiceState>

/** A participant's answer on a stage, in the room in which they are. */
export interface StageAnswer {
  kind: 'request_ack' | 'invite_ack'
  accepted: boolean
  /** Whose request is answered. */
  targetId?: number
}

/**
 * Who is in which voice room, as far as commands of the gateway are concerned. Whoever keeps the rooms announces by
 * itself what it changes.
 */
export interface VoiceRooms {
  /** The room in which the user is; nobody is in two. */
  roomOf(userId: number): number | undefined
  usersIn(roomId: number): readonly number[]
  /** Changes nothing, and announces nothing, where all is so already. */
  change(userId: number, flags: VoiceFlags): void | Promise<void>
  /** Does what an answer brings about beside being told to the room; nothing where nothing was asked. */
  answer(userId: number, answer: StageAnswer): void | Promise<void>
}

/** Adds the commands of those who are in a voice room (spec 06, sections 8.4, 8.7 and 8.8). */
export function addVoice(commands: Commands, { community, bus, limits, voiceRooms }: GatewayContext): void {
  commands.on(updateVoiceState, ({ userId }, flags) => {
    const roomId = voiceRooms?.roomOf(userId)
    if (roomId === undefined) return
    if (flags.video) demand(userId, roomId, Permission.VIDEO)
    if (flags.streaming) demand(userId, roomId, Permission.STREAM)
    return voiceRooms?.change(userId, flags)
  })

  commands.on(negotiateCodec, ({ userId }, { room_id, ...negotiation }) => {
    const roomId = given(room_id)
    if (codePoints(stringifyJson({ room_id, ...negotiation })) > limits().relay_payload_max)
      throw new CommandError('PAYLOAD_TOO_LARGE', 'The negotiation is too large.')
    if (voiceRooms?.roomOf(userId) !== roomId) return
    const data = { media_type: '', codec: '', ...negotiation, room_id: roomId, user_id: userId }
    bus.publish({ event: voiceCodecNeg, data, audience: everybodyIn(roomId) })
  })

  commands.on(respondOnStage, ({ userId }, { room_id, ...response }) => {
    const roomId = given(room_id)
    if (voiceRooms?.roomOf(userId) !== roomId) return
    const { response_type: kind, accepted = false, target_id: targetId } = response
    if (kind === 'request_ack') demand(userId, roomId, Permission.STAGE_MODERATOR)
    const data = { ...response, room_id: roomId, user_id: userId }
    bus.publish({ event: stageResponse, data, audience: everybodyIn(roomId) })
    if (kind !== 'request_ack' && kind !== 'invite_ack') return
    return voiceRooms?.answer(userId, { kind, accepted, ...(targetId !== undefined && { targetId }) })
  })

  function demand(userId: number, roomId: number, permission: bigint): void {
    const room: SpaceRef = { type: 'room', id: roomId }
    if ((community.permissionsIn(userId, room) & permission) === 0n)
      throw new CommandError('MISSING_PERMISSIONS', 'You may not do that in this room.')
  }

  const everybodyIn = (roomId: number) => ({ to: 'users', users: voiceRooms?.usersIn(roomId) ?? [] }) as const
}

function given(roomId: number | undefined): number {
  if (roomId === undefined) throw new CommandError('MISSING_ROOM_ID', 'room_id is required.')
  return roomId
}
