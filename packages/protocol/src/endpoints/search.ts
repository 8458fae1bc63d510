import { endpoint } from '../endpoint.ts'
import { accepting, Fields, Id, Int64, Integer, List, Maybe, QueryFlag, Text } from '../schema.ts'
import { renamed } from './common.ts'
import { MessageObject } from './messages.ts'

/** What to search for; conditions are combined with AND, and a blank `query` is none (spec 04, section 6). */
const SearchQuery = accepting(
  Fields({
    query: Text({ max: 512 }),
    feed_id: Maybe(Id),
    dm_id: Maybe(Id),
    thread_id: Maybe(Id),
    author_id: Maybe(Id),
    before: Maybe(Int64),
    after: Maybe(Int64),
    has_file: Maybe(QueryFlag),
    has_embed: Maybe(QueryFlag),
    pinned: Maybe(QueryFlag),
    limit: Maybe(Integer(1, 1000)),
  }),
  (query) => renamed(query, 'q', 'query'),
)

/** Messages that match, newest first; the next page is asked for with `before` (spec 04, section 6). */
export const searchMessages = endpoint({
  method: 'GET',
  path: '/messages/search',
  summary: 'Search messages',
  auth: 'session',
  query: SearchQuery,
  reply: { 200: Fields({ results: List(MessageObject) }) },
  errors: ['MISSING_PERMISSIONS', 'SPACE_NOT_FOUND', 'NOT_DM_PARTICIPANT'],
})
