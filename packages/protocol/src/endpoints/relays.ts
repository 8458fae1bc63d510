import { endpoint } from '../endpoint.ts'
import { Fields, Id, Int64, Integer, List, Maybe, Milliseconds, Nullable, OneOf, Snowflake, Text } from '../schema.ts'

/** Kinds of MLS messages that are relayed (spec 06, section 8.5). */
export const MlsType = OneOf('welcome', 'commit', 'proposal')

/**
 * Relays that the caller has sent or received within 30 days, oldest first (spec 05, section 13.4). Nothing is consumed
 * by reading: each device remembers its own position, which is the `cursor` of its last page.
 */
export const listRelays = endpoint({
  method: 'GET',
  path: '/keys/mls/relays',
  summary: 'Catch up on MLS relays',
  auth: 'session',
  query: Fields({ after: Maybe(Int64), limit: Maybe(Integer(1, 1000)), dm_id: Maybe(Id) }),
  reply: {
    200: Fields({
      relays: List(
        Fields({
          relay_id: Snowflake,
          mls_type: MlsType,
          data: Text(),
          group_id: Nullable(Text()),
          dm_id: Nullable(Id),
          sender_id: Id,
          timestamp: Milliseconds,
        }),
      ),
      cursor: Nullable(Snowflake),
    }),
  },
})
