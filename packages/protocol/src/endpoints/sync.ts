import { endpoint } from '../endpoint.ts'
import {
  accepting,
  Fields,
  Id,
  Int64,
  Integer,
  JsonObject,
  List,
  Maybe,
  Milliseconds,
  Nullable,
  Snowflake,
  Text,
} from '../schema.ts'
import { FeedParams } from './common.ts'

const ISO_UTC = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|\+00:00)$/

/** Unix milliseconds; on input also ISO 8601 in UTC. */
const Moment = accepting(Integer(0), (raw) => (typeof raw === 'string' && ISO_UTC.test(raw) ? Date.parse(raw) : raw))

/** How far the caller has read; one of the two places is set. */
const ReadState = Fields({ feed_id: Nullable(Id), dm_id: Nullable(Id), last_read_msg_id: Snowflake })

/**
 * What has changed in the structure since a time at most 7 days back, and how far the caller has read (spec 04,
 * section 12). A page follows with `after` = `cursor` until that is null.
 */
export const sync = endpoint({
  method: 'POST',
  path: '/sync',
  summary: 'Catch up after an absence',
  auth: 'session',
  body: Fields({
    since_timestamp: Moment,
    categories: List(Text({ max: 64 }), { max: 100 }),
    limit: Maybe(Integer(1, 1000)),
    after: Maybe(Nullable(Int64)),
  }),
  reply: {
    200: Fields({
      events: List(Fields({ type: Text(), payload: JsonObject, timestamp: Milliseconds })),
      server_timestamp: Milliseconds,
      cursor: Nullable(Int64),
      read_states: List(ReadState),
    }),
  },
  errors: ['FULL_SYNC_REQUIRED', 'INVALID_CATEGORY'],
})

/** The last message that has been read; it need not be there any more. */
export const ReadUpTo = Fields({ up_to_msg_id: Int64 })

/** Notes how far the caller has read in a feed; never goes back (spec 04, section 2.7). */
export const markFeedRead = endpoint({
  method: 'POST',
  path: '/feeds/:feed_id/read',
  summary: 'Mark a feed as read',
  auth: 'session',
  requires: { permission: 'READ_HISTORY', in: 'feed' },
  params: FeedParams,
  body: ReadUpTo,
  reply: { 204: null },
  errors: ['MISSING_PERMISSIONS', 'SPACE_NOT_FOUND'],
})
