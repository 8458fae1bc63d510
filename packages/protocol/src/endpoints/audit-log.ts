import { endpoint } from '../endpoint.ts'
import {
  accepting,
  Fields,
  Int64,
  Integer,
  JsonObject,
  List,
  Maybe,
  Milliseconds,
  Nullable,
  Snowflake,
  type Static,
  Text,
} from '../schema.ts'
import { PageLimit, renamed } from './common.ts'

/** An entry of the audit log (spec 03, section 17); `actor_id` is 0 when no local user acted. */
export const AuditEntryObject = Fields({
  entry_id: Snowflake,
  event_type: Text(),
  actor_id: Integer(0),
  target_id: Nullable(Integer()),
  metadata: Nullable(JsonObject),
  timestamp: Milliseconds,
})
/** An entry of the audit log. */
export type AuditEntryObject = Static<typeof AuditEntryObject>

/** Which entries; with `before` the newest come first, and `cursor` goes on in that direction. */
const AuditQuery = accepting(
  Fields({
    event_type: Maybe(Text({ max: 64, description: '`*` stands for any run of characters' })),
    actor_id: Maybe(Integer()),
    target_id: Maybe(Integer()),
    after: Maybe(Int64),
    before: Maybe(Int64),
    limit: PageLimit,
  }),
  withCursor,
)

/** On the way back the cursor of a page is the `before` of the next one. */
function withCursor(query: unknown): unknown {
  if (typeof query !== 'object' || query === null || !('before' in query)) return renamed(query, 'cursor', 'after')
  return 'cursor' in query ? { ...query, before: query.cursor } : query
}

/** Who did what (spec 03, section 17). */
export const readAuditLog = endpoint({
  method: 'GET',
  path: '/audit-log',
  summary: 'Who did what',
  auth: 'session',
  requires: { permission: 'VIEW_AUDIT_LOG' },
  query: AuditQuery,
  reply: { 200: Fields({ entries: List(AuditEntryObject), cursor: Nullable(Text()) }) },
  errors: ['MISSING_PERMISSIONS'],
})
