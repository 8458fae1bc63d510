/** Emoji, stickers, the server itself and invites (spec 06, section 13.5). */
import { Fields, Id, Maybe, Nullable, Text } from '../../schema.ts'
import { Change, event } from '../event.ts'

/** A custom emoji was added; `image` is its address. */
export const emojiCreate = event(
  'emoji_create',
  Fields({ emoji_id: Id, name: Text(), creator_id: Id, image: Maybe(Text()) }),
  'emoji',
)

/** A custom emoji was renamed. */
export const emojiUpdate = event('emoji_update', Fields({ emoji_id: Id, name: Text() }), 'emoji')

/** A custom emoji was removed. */
export const emojiDelete = event('emoji_delete', Fields({ emoji_id: Id }), 'emoji')

/** A sticker was added; `image` is its address. */
export const stickerCreate = event(
  'sticker_create',
  Fields({ sticker_id: Id, name: Text(), creator_id: Id, image: Maybe(Text()) }),
  'emoji',
)

/** A sticker was renamed. */
export const stickerUpdate = event('sticker_update', Fields({ sticker_id: Id, name: Text() }), 'emoji')

/** A sticker was removed. */
export const stickerDelete = event('sticker_delete', Fields({ sticker_id: Id }), 'emoji')

/** What was changed in what the server says of itself; null for what was cleared. */
export const serverUpdate = event(
  'server_update',
  Change({}, { name: Maybe(Text()), icon: Maybe(Nullable(Text())), description: Maybe(Nullable(Text())) }),
  'server',
)

/** An invite was created. Its code lets people in, so only those who may list invites are told. */
export const inviteCreate = event(
  'invite_create',
  Fields({ code: Text(), creator_id: Id, feed_id: Maybe(Id) }),
  'invites',
)

/** An invite was deleted. */
export const inviteDelete = event('invite_delete', Fields({ code: Text() }), 'invites')
