/** Voice rooms and stages (spec 06, section 13.10; spec 07). */
import { Fields, Flag, Id, List, Maybe, Nullable, OpenFields, Seconds, Text } from '../../schema.ts'
import { event } from '../event.ts'

/** Somebody in a room (spec 07, section 1.2): `mute` and `deaf` are their own, `server_…` a moderator's doing. */
const Participant = Fields({
  user_id: Id,
  mute: Flag,
  deaf: Flag,
  video: Flag,
  streaming: Flag,
  server_mute: Flag,
  server_deaf: Flag,
  joined_at: Seconds,
  speaker: Flag,
  requested_at: Nullable(Seconds),
})

/** Everybody who is in the room after a change. */
export const voiceStateUpdate = event('voice_state_update', Fields({ room_id: Id, members: List(Participant) }))

/** What a participant's device wants to send or receive; further keys are passed on as they came. */
export const voiceCodecNeg = event(
  'voice_codec_neg',
  OpenFields({ room_id: Id, user_id: Id, media_type: Text(), codec: Text() }),
)

const OnStage = Fields({ room_id: Id, user_id: Id })

/** The user wants to speak. */
export const stageRequest = event('stage_request', OnStage)

/** The user is invited to speak. */
export const stageInvite = event('stage_invite', OnStage)

/** The user does not want to speak. */
export const stageInviteDecline = event('stage_invite_decline', OnStage)

/** The user may speak no longer. */
export const stageRevoke = event('stage_revoke', OnStage)

/** What the stage is about; empty when it has no topic. */
export const stageTopicUpdate = event('stage_topic_update', Fields({ room_id: Id, topic: Text() }))

/** A participant's answer to a request or an invite. */
export const stageResponse = event(
  'stage_response',
  Fields({
    room_id: Id,
    user_id: Id,
    response_type: Maybe(Text()),
    accepted: Maybe(Flag),
    target_id: Maybe(Id),
  }),
)

/** A token for the media connection of a stay. */
export const mediaTokenRefresh = event(
  'media_token_refresh',
  Fields({ room_id: Id, media_token: Text(), expires_at: Maybe(Seconds) }),
)
