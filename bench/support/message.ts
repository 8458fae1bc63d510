import type { DataOf, messageCreate } from '@vox/protocol'

/** A message of ordinary length, as its receivers are told of it. */
export const message: DataOf<typeof messageCreate> = {
  msg_id: 241_591_910_400_000_001n,
  author_id: 42,
  body: 'Tea is ready, who wants a cup? There is cake as well, and the good chairs are free. Bring a friend if you like.',
  timestamp: 1_767_225_600_000,
  feed_id: 7,
}

/** A feed that only the first few users see. */
export const SMALL_FEED = { id: 8, viewers: 10 }
