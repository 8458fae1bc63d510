/** Members, friends, presence and typing (spec 06, sections 13.2, 13.7 and 13.9). */
import { Fields, Id, JsonObject, Maybe, Nullable, OneOf, Text } from '../../schema.ts'
import { Change, event, InOnePlace } from '../event.ts'

/** Somebody has become a member; also when they joined again. */
export const memberJoin = event(
  'member_join',
  Fields({ user_id: Id, username: Text(), display_name: Maybe(Text()) }),
  'members',
)

/** A member has left or was kicked. */
export const memberLeave = event('member_leave', Fields({ user_id: Id }), 'members')

/** A member's nickname; left out when there is none. */
export const memberUpdate = event('member_update', Fields({ user_id: Id, nickname: Maybe(Text()) }), 'members')

/** A member was banned, which is also their departure. */
export const memberBan = event('member_ban', Fields({ user_id: Id }), 'members', 'bans')

/** A ban was lifted. */
export const memberUnban = event('member_unban', Fields({ user_id: Id }), 'members', 'bans')

/** What was changed in a profile; null for what was cleared. */
export const userUpdate = event(
  'user_update',
  Change(
    { user_id: Id },
    { display_name: Maybe(Text()), avatar: Maybe(Nullable(Text())), bio: Maybe(Nullable(Text())) },
  ),
  'users',
)

/** `user_id` has acted, `target_id` is the other one. */
const Pair = Fields({ user_id: Id, target_id: Id })

/** `user_id` asks to be friends. */
export const friendRequest = event('friend_request', Pair)

/** `user_id` has accepted. */
export const friendAdd = event('friend_add', Pair)

/** `user_id` has rejected. */
export const friendReject = event('friend_reject', Pair)

/** `user_id` has ended the friendship, or a request for it. */
export const friendRemove = event('friend_remove', Pair)

/** `user_id` has blocked the other. */
export const blockAdd = event('block_add', Pair)

/** `user_id` blocks the other no longer. */
export const blockRemove = event('block_remove', Pair)

/** How somebody is, as the receiver may know; `invisible` is said to the users themselves only. */
export const presenceUpdate = event(
  'presence_update',
  Fields({
    user_id: Id,
    status: OneOf('online', 'idle', 'dnd', 'invisible', 'offline'),
    custom_status: Maybe(Text({ min: 1 })),
    activity: Maybe(JsonObject),
  }),
)

/** Somebody is writing; there is no event for the end of it. */
export const typingStart = event('typing_start', InOnePlace({ user_id: Id, feed_id: Maybe(Id), dm_id: Maybe(Id) }))
