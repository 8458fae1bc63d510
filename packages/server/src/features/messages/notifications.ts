import { type DataOf, notificationCreate } from '@vox/protocol'
import type { Community } from '../../community/community.ts'
import { prepared } from '../../db/prepared.ts'
import type { Work } from '../../events/work.ts'
import { EVERYONE } from './mentions.ts'
import { findMessage, type NewMessage } from './store.ts'

/** Longest preview, and how much is left of a longer body; characters. */
const PREVIEW = 100

type Kind = 'mention' | 'reply' | 'message'

/**
 * Tells single users that a message concerns them, once each and only if they see it (spec 04, section 13.1). Goes
 * after the event of the message itself.
 */
export async function notifyOfMessage(
  job: Work,
  community: Community,
  { message, mentions }: { message: NewMessage & { author_id: number }; mentions: readonly number[] },
): Promise<void> {
  const { author_id: actor_id, feed_id, thread_id, msg_id, body } = message
  const space = { type: 'feed', id: feed_id } as const
  const told = new Set([actor_id])
  const tell = (type: Kind, users: Iterable<number>) => {
    for (const user_id of users) {
      if (told.has(user_id) || !community.sees(user_id, space) || community.blocks.hasBlocked(user_id, actor_id))
        continue
      told.add(user_id)
      emit(job, {
        user_id,
        type,
        feed_id,
        ...(thread_id !== null && { thread_id }),
        msg_id,
        actor_id,
        ...(body !== null && { body_preview: preview(body) }),
      })
    }
  }
  // Nobody else would hear of it.
  tell('mention', mentions.includes(EVERYONE) ? job.listeners() : mentions)
  tell('reply', await authorOf(job, feed_id, message.reply_to))
  tell('message', await subscribersOf(job, message))
}

/** Tells the author of a message who has reacted to it, if the author still sees it (spec 04, section 13.2). */
export function notifyOfReaction(
  job: Work,
  community: Community,
  reaction: { msg_id: bigint; feed_id: number; thread_id: number | null; author_id: number | null },
  { actor_id, emoji }: { actor_id: number; emoji: string },
): void {
  const { author_id: user_id, feed_id, thread_id, msg_id } = reaction
  if (user_id === null || user_id === actor_id) return
  if (!community.sees(user_id, { type: 'feed', id: feed_id }) || community.blocks.hasBlocked(user_id, actor_id)) return
  emit(job, {
    user_id,
    type: 'reaction',
    feed_id,
    ...(thread_id !== null && { thread_id }),
    msg_id,
    actor_id,
    body_preview: emoji,
  })
}

function emit(job: Work, notification: DataOf<typeof notificationCreate>): void {
  job.emit(notificationCreate, notification, { to: 'users', users: [notification.user_id] })
}

function preview(body: string): string {
  if (body.length <= PREVIEW) return body
  // As many code units as the characters can have.
  const characters = [...body.slice(0, 2 * (PREVIEW + 1))]
  return characters.length <= PREVIEW ? body : `${characters.slice(0, PREVIEW - 1).join('')}\u2026`
}

async function authorOf(job: Work, feedId: number, msgId: bigint | null): Promise<number[]> {
  if (msgId === null) return []
  const author = (await findMessage(job.db, feedId, msgId))?.author_id
  return author ? [author] : []
}

const feedSubscribers = prepared((db, p: { feed_id: number }) =>
  db.selectFrom('feed_subscribers').select('user_id').where('feed_id', '=', p.feed_id),
)

const threadSubscribers = prepared((db, p: { thread_id: number }) =>
  db.selectFrom('thread_subscribers').select('user_id').where('thread_id', '=', p.thread_id),
)

async function subscribersOf(job: Work, { feed_id, thread_id }: NewMessage): Promise<number[]> {
  const rows = await (thread_id === null
    ? feedSubscribers(job.db, { feed_id })
    : threadSubscribers(job.db, { thread_id }))
  return rows.map(({ user_id }) => user_id)
}
