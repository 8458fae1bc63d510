import { snowflake, VOX_EPOCH_MS } from '@vox/protocol'
import { parseDatabaseUrl } from '../../packages/server/src/db/url.ts'
import { runSql } from '../../packages/server/test/support/sql.ts'
import { startVox } from './program.ts'
import { post, register } from './register.ts'

const FEEDS = 10
const WORDS = 2000
const WORDS_IN_MESSAGE = 10

/** Threads of the first feed. */
export const THREADS = 100

/** A member who has written one of fifty thousand messages. */
export const QUIET_MEMBER = 2

/** The conversation of the founder and that member. */
export const CONVERSATION = 1

const EMBEDS = JSON.stringify([{ url: 'https://example.org/tea', title: 'Tea', description: 'How to make it' }])

/** Id of the nth message. */
export const idOf = (n: number): bigint => snowflake({ timestamp: VOX_EPOCH_MS + 1000 + n, worker: 0, sequence: 0 })

/** The nth word; each stands in one of two hundred messages. */
export const wordOf = (n: number): string => `w${n % WORDS}rd`

/**
 * Fills a server's own database with messages: ten feeds, of which the first has every other message, a tenth of those
 * in threads, and a conversation, which has five of a thousand. Every fiftieth message shows a file of its own, one of a
 * hundred an embed, fifty are pinned, all are in the search index. Resolves to the token of the founder, who has written
 * nearly all of them.
 */
export async function seed(url: string, messages: number): Promise<string> {
  const token = await found(url)
  const { engine } = parseDatabaseUrl(url)
  await runSql(url, ...content(messages), ...FINISH[engine])
  return token
}

/** People and feeds, by way of the server itself. */
async function found(url: string): Promise<string> {
  await using program = await startVox({ VOX_DATABASE_URL: url })
  const { token } = await register(program.port)
  await post(program.port, '/auth/register', { username: 'quiet', password: 'correct horse' })
  await post(program.port, '/dms', { recipient_id: QUIET_MEMBER }, token)
  for (let feed = 2; feed <= FEEDS; feed++)
    await post(program.port, '/feeds', { name: `feed ${feed}`, type: 'text' }, token)
  return token
}

/** SQL that both engines understand. */
function content(messages: number): string[] {
  const numbers = (last: number) =>
    `with recursive numbers (n) as (select cast(1 as bigint) union all select n + 1 from numbers where n < ${last})`
  const id = (n: string) => `((${n}) + 1000) * 4194304`
  const fileId = (n: string) => `'file' || (${n})`
  const shownFile = (n: string) =>
    `'[{"file_id":"' || ${fileId(n)} || '","name":"tea.png","size":1000,"mime":"image/png","url":"/api/v1/files/' || (${n}) ||
      '","uploader_id":1,"width":null,"height":null,"created_at":0}]'`
  const words = Array.from(
    { length: WORDS_IN_MESSAGE },
    (_, place) => `'w' || ((n * ${WORDS_IN_MESSAGE} + ${place}) * 2654435761 % ${WORDS}) || 'rd'`,
  )
  const files = Math.floor(messages / 50)
  const pinned = Math.floor(messages / 1000) * 20
  const inConversation = 'n % 1000 between 50 and 54'
  return [
    `insert into threads (parent_feed_id, parent_msg_id, name, created_at)
     ${numbers(THREADS)} select 1, ${id('n')}, 'thread ' || n, 0 from numbers`,
    `insert into files (file_id, name, size, mime, url, uploader_id, created_at)
     ${numbers(files)} select ${fileId('n')}, 'tea.png', 1000, 'image/png', '/api/v1/files/' || n, 1, 0 from numbers`,
    `insert into messages (msg_id, feed_id, dm_id, thread_id, author_id, body, embeds, files)
     ${numbers(messages)}
     select ${id('n')}, case when ${inConversation} then null when n % 2 = 0 then 1 else 2 + n / 2 % ${FEEDS - 1} end,
       case when ${inConversation} then ${CONVERSATION} end, case when n % 20 = 0 then 1 + n / 20 % ${THREADS} end,
       case when n % 50000 = 0 then ${QUIET_MEMBER} else 1 end, ${words.join(` || ' ' || `)},
       case when n % 100 = 7 then '${EMBEDS}' end,
       case when n % 50 = 0 then ${shownFile('n / 50')} end from numbers`,
    `insert into message_attachments (msg_id, file_id, position)
     ${numbers(files)} select ${id('n * 50')}, ${fileId('n')}, 0 from numbers`,
    `insert into pins (msg_id, feed_id, pinned_at) ${numbers(50)} select ${id(`n * ${pinned}`)}, 1, n from numbers`,
  ]
}

const FINISH = {
  sqlite: ['insert into message_search (rowid, folded) select msg_id, folded from message_texts order by msg_id'],
  postgres: ['vacuum analyze'],
}
