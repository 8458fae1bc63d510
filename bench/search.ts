/**
 * Searching a long history, beside a bare program that runs the plainest queries for it on the same rows.
 *
 *   npx node bench/search.ts [messages] [requests] [connections]
 *
 * On SQLite and, where it is installed, on a throw-away PostgreSQL; `VOX_BENCH_DATABASE_URL` names another database,
 * which has to be empty. A word stands in one of two hundred messages.
 */
import { compareReadings, type Reading } from './support/reading.ts'
import { CONVERSATION, idOf, QUIET_MEMBER, THREADS, wordOf } from './support/seed.ts'

const messages = Number(process.argv[2] ?? 1_000_000)
const requests = Number(process.argv[3] ?? 1_000)
const connections = Number(process.argv[4] ?? 10)

const PAGE = 'order by messages.msg_id desc limit 25'
/** By the index of words: PostgreSQL, left to choose, may read a million texts one by one for a word that nobody wrote. */
const FOUND_BY_WORDS = 'order by messages.msg_id + 0 desc limit 25'
const WITH_FILE = 'messages.files is not null'

type Example = ReturnType<Reading['example']>

const upTo = (count: number) => Math.ceil(Math.random() * count)

/** Messages with a text that meet another condition; the text is the first parameter. */
function worded(what: string, condition: string, example: () => Example): Reading {
  return {
    what,
    sql: {
      SQLite: `select messages.* from message_search as found cross join messages
        where messages.msg_id = found.rowid and found.message_search match '"' || ? || '"' and ${condition}
        order by found.rowid desc limit 25`,
      PostgreSQL: `select * from messages
        where to_tsvector('english', body) @@ websearch_to_tsquery('english', ?) and ${condition} ${FOUND_BY_WORDS}`,
    },
    example,
  }
}

/** Messages that meet a condition, whatever they say. */
const unworded = (what: string, condition: string, example: () => Example): Reading => ({
  what,
  sql: `select messages.* from messages where ${condition} ${PAGE}`,
  example,
})

const path = (query: Readonly<Record<string, string | number | bigint | boolean>>) =>
  `/messages/search?${Object.entries(query)
    .map(([key, value]) => `${key}=${encodeURIComponent(String(value))}`)
    .join('&')}`

const word = () => wordOf(upTo(messages))

await compareReadings({ messages, requests, connections }, [
  worded('a word', 'true', () => {
    const query = word()
    return { parameters: [query], path: path({ query }) }
  }),
  worded('a word before a message', 'messages.msg_id < ?', () => {
    const [query, before] = [word(), idOf(upTo(messages))]
    return { parameters: [query, before], path: path({ query, before }) }
  }),
  worded('a word in a feed', 'feed_id = ?', () => {
    const [query, feed_id] = [word(), upTo(10)]
    return { parameters: [query, feed_id], path: path({ query, feed_id }) }
  }),
  worded('a word in a thread', 'thread_id = ?', () => {
    const [query, thread_id] = [word(), upTo(THREADS)]
    return { parameters: [query, thread_id], path: path({ query, thread_id }) }
  }),
  worded('a word of a quiet member', `author_id = ${QUIET_MEMBER}`, () => {
    const query = word()
    return { parameters: [query], path: path({ query, author_id: QUIET_MEMBER }) }
  }),
  worded('a word beside a file', WITH_FILE, () => {
    const query = word()
    return { parameters: [query], path: path({ query, has_file: true }) }
  }),
  {
    what: 'a word in what is pinned',
    sql: {
      SQLite: `select messages.* from pins cross join messages cross join message_texts as texts
        where messages.msg_id = pins.msg_id and texts.msg_id = pins.msg_id and instr(folded, ?) > 0
        order by pins.msg_id desc limit 25`,
      PostgreSQL: `select messages.* from pins join messages using (msg_id)
        where to_tsvector('english', body) @@ websearch_to_tsquery('english', ?) ${PAGE}`,
    },
    example() {
      const query = word()
      return { parameters: [query], path: path({ query, pinned: true }) }
    },
  },
  worded('a phrase that nobody wrote', 'true', () => {
    const query = `${word()} said`
    return { parameters: [query], path: path({ query }) }
  }),
  {
    what: 'two letters that nobody wrote',
    sql: {
      SQLite: `select messages.* from message_texts as found cross join messages
        where messages.msg_id = found.msg_id and instr(found.folded, ?) > 0 order by found.msg_id desc limit 25`,
      PostgreSQL: `select * from messages
        where to_tsvector('english', body) @@ websearch_to_tsquery('english', ?) ${FOUND_BY_WORDS}`,
    },
    example: () => ({ parameters: ['zq'], path: path({ query: 'zq' }) }),
  },
  unworded('what a quiet member wrote', `author_id = ${QUIET_MEMBER}`, () => ({
    parameters: [],
    path: path({ query: '', author_id: QUIET_MEMBER }),
  })),
  unworded('what has a file', WITH_FILE, () => ({ parameters: [], path: path({ query: '', has_file: true }) })),
  unworded('what has no file, in a feed', 'files is null and +feed_id = 1', () => ({
    parameters: [],
    path: path({ query: '', has_file: false, feed_id: 1 }),
  })),
  unworded('what has a file, in a conversation', `${WITH_FILE} and dm_id = ${CONVERSATION}`, () => ({
    parameters: [],
    path: path({ query: '', has_file: true, dm_id: CONVERSATION }),
  })),
  unworded('what has an embed', 'embeds is not null', () => ({
    parameters: [],
    path: path({ query: '', has_embed: true }),
  })),
  unworded('what has no embed, in a feed', 'embeds is null and +feed_id = 1', () => ({
    parameters: [],
    path: path({ query: '', has_embed: false, feed_id: 1 }),
  })),
  unworded('what an active member wrote in a feed', 'author_id = 1 and +feed_id = 2', () => ({
    parameters: [],
    path: path({ query: '', author_id: 1, feed_id: 2 }),
  })),
  unworded('what a quiet member wrote in a feed', `author_id = ${QUIET_MEMBER} and +feed_id = 1`, () => ({
    parameters: [],
    path: path({ query: '', author_id: QUIET_MEMBER, feed_id: 1 }),
  })),
  {
    what: 'what is pinned',
    sql: `select messages.* from pins as found cross join messages
      where messages.msg_id = found.msg_id order by found.msg_id desc limit 25`,
    example: () => ({ parameters: [], path: path({ query: '', pinned: true }) }),
  },
])
