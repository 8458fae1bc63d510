/**
 * Reading a long history, beside a bare program that runs the same queries on the same rows: pages from random places
 * of a feed and of its threads, single messages, what follows one, pins.
 *
 *   npx node bench/history.ts [messages] [requests] [connections]
 *
 * On SQLite and, where it is installed, on a throw-away PostgreSQL; `VOX_BENCH_DATABASE_URL` names another database,
 * which has to be empty. The bare queries look up no attachments.
 */
import { compareReadings } from './support/reading.ts'
import { idOf, THREADS } from './support/seed.ts'

const messages = Number(process.argv[2] ?? 1_000_000)
const requests = Number(process.argv[3] ?? 5_000)
const connections = Number(process.argv[4] ?? 10)

const upTo = (count: number) => Math.ceil(Math.random() * count)
const anywhere = () => upTo(messages)

/** One of the first feed, outside of its threads. */
const someMessage = () => idOf(20 * upTo(messages / 20 - 1) + 2)

const page = (where: string) => `select * from messages where ${where} order by msg_id desc limit 100`

await compareReadings({ messages, requests, connections }, [
  {
    what: 'page of a feed, before a message',
    // As in the server: sorting by what is null in all of them makes PostgreSQL follow the index.
    sql: page('feed_id = 1 and thread_id is null and msg_id < ?').replace('order by', 'order by thread_id desc,'),
    example() {
      const before = idOf(anywhere())
      return { parameters: [before], path: `/feeds/1/messages?limit=100&before=${before}` }
    },
  },
  {
    what: 'what follows a message',
    sql: page('feed_id = 1 and thread_id is null and msg_id > ? and msg_id < ?').replace(
      'order by',
      'order by thread_id desc,',
    ),
    example() {
      const n = anywhere()
      const [after, before] = [idOf(n), idOf(n + 200)]
      return {
        parameters: [after, before],
        path: `/feeds/1/messages?limit=100&after=${after}&before=${before}`,
      }
    },
  },
  {
    what: 'page of a thread',
    sql: page('feed_id = 1 and thread_id = ? and msg_id < ?'),
    example() {
      const [thread, before] = [upTo(THREADS), idOf(anywhere())]
      return {
        parameters: [thread, before],
        path: `/feeds/1/threads/${thread}/messages?limit=100&before=${before}`,
      }
    },
  },
  {
    what: 'one message',
    sql: 'select * from messages where msg_id = ? and feed_id = 1',
    example() {
      const id = someMessage()
      return { parameters: [id], path: `/feeds/1/messages/${id}` }
    },
  },
  {
    what: 'the 50 pins of a feed',
    sql: `select messages.*, pinned_at from pins join messages using (msg_id)
          where pins.feed_id = 1 order by pinned_at desc, msg_id desc`,
    example: () => ({ parameters: [], path: '/feeds/1/pins' }),
  },
])
