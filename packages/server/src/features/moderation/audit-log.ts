import { parseJson, type Static, snowflakeTime } from '@vox/protocol'
import type { AuditEntryObject, readAuditLog } from '@vox/protocol/endpoints'
import { type RawBuilder, type Selectable, sql } from 'kysely'
import type { Database } from '../../db/database.ts'
import type { AuditLog } from '../../db/schema.ts'
import { pageSize } from '../../pages.ts'
import type { Services } from '../../services.ts'

const USUAL_PAGE = 50

/** Entries of the audit log: from the oldest on, or back from `before` (spec 03, section 17). */
export async function auditEntries(
  { db, config }: Services,
  query: Static<typeof readAuditLog.query>,
): Promise<AuditEntryObject[]> {
  const { event_type, actor_id, target_id, after, before } = query
  let entries = db.read.selectFrom('audit_log').selectAll()
  if (event_type !== undefined) entries = entries.where(typeMatches(db.engine, event_type))
  if (actor_id !== undefined) entries = entries.where('actor_id', actor_id === 0 ? 'is' : '=', actor_id || null)
  if (target_id !== undefined) entries = entries.where('target_id', '=', target_id)
  if (after !== undefined) entries = entries.where('entry_id', '>', after)
  if (before !== undefined) entries = entries.where('entry_id', '<', before)
  const rows = await entries
    .orderBy('entry_id', before === undefined ? 'asc' : 'desc')
    .limit(pageSize(query, config.limits.page_limit_audit_log, USUAL_PAGE))
    .execute()
  return rows.map(entryObject)
}

/** `*` stands for any run of characters; all else is literal, in its letter case. LIKE of SQLite ignores case. */
function typeMatches(engine: Database['engine'], pattern: string): RawBuilder<boolean> {
  if (engine === 'sqlite') return sql`event_type glob ${pattern.replaceAll(/[?[]/g, '[$&]')}`
  return sql`event_type like ${pattern.replaceAll(/[\\%_]/g, '\\$&').replaceAll('*', '%')}`
}

function entryObject({ actor_id, metadata, ...entry }: Selectable<AuditLog>): AuditEntryObject {
  return {
    ...entry,
    actor_id: actor_id ?? 0,
    metadata: metadata === null ? null : (parseJson(metadata) as Record<string, unknown>),
    timestamp: snowflakeTime(entry.entry_id),
  }
}
