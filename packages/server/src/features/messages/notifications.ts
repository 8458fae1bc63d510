import { type DataOf, notificationCreate } from '@vox/protocol'
import type { Community } from '../../community/community.ts'
import { prepared } from '../../db/prepared.ts'
import type { Work } from '../../events/work.ts'
import { idsOf } from '../dms/conversation.ts'
import { type Home, hearsOf, isConversation, keyOf } from './home.ts'
import { EVERYONE } from './mentions.ts'
import { findMessage } from './messages.ts'
import type { NewMessage } from './store.ts'

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
  home: Home,
  { message, mentions }: { message: NewMessage & { author_id: number }; mentions: readonly number[] },
): Promise<void> {
  const { author_id: actor_id, thread_id, msg_id, body } = message
  const told = new Set([actor_id])
  const tell = (type: Kind, users: Iterable<number>) => {
    for (const user_id of users) {
      if (told.has(user_id) || !hearsOf(community, home, user_id, actor_id)) continue
      told.add(user_id)
      emit(job, {
        user_id,
        type,
        ...keyOf(home),
        ...(thread_id !== null && { thread_id }),
        msg_id,
        actor_id,
        ...(body !== null && { body_preview: preview(body) }),
      })
    }
  }
  tell('mention', mentions.includes(EVERYONE) ? everyone(job, home) : mentions)
  tell('reply', await authorOf(job, home, message.reply_to))
  if (!isConversation(home)) tell('message', await subscribersOf(job, home, thread_id))
}

/** Whoever may have to be told; in a feed those who could hear of it, which nobody does without a gateway session. */
const everyone = (job: Work, home: Home): Iterable<number> => (isConversation(home) ? idsOf(home) : job.listeners())

/** Tells the author of a message who has reacted to it, if the author still sees it (spec 04, section 13.2). */
export function notifyOfReaction(
  job: Work,
  community: Community,
  home: Home,
  message: Pick<NewMessage, 'msg_id' | 'thread_id' | 'author_id'>,
  { actor_id, emoji }: { actor_id: number; emoji: string },
): void {
  const { author_id: user_id, thread_id, msg_id } = message
  if (user_id === null || user_id === actor_id || !hearsOf(community, home, user_id, actor_id)) return
  emit(job, {
    user_id,
    type: 'reaction',
    ...keyOf(home),
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

async function authorOf(job: Work, home: Home, msgId: bigint | null): Promise<number[]> {
  if (msgId === null) return []
  const author = (await findMessage(job.db, home, msgId))?.author_id
  return author ? [author] : []
}

const feedSubscribers = prepared((db, p: { feed_id: number }) =>
  db.selectFrom('feed_subscribers').select('user_id').where('feed_id', '=', p.feed_id),
)

const threadSubscribers = prepared((db, p: { thread_id: number }) =>
  db.selectFrom('thread_subscribers').select('user_id').where('thread_id', '=', p.thread_id),
)

async function subscribersOf(job: Work, { feed_id }: { feed_id: number }, thread_id: number | null): Promise<number[]> {
  const rows = await (thread_id === null
    ? feedSubscribers(job.db, { feed_id })
    : threadSubscribers(job.db, { thread_id }))
  return rows.map(({ user_id }) => user_id)
}
