import { type Static, snowflakeTime } from '@vox/protocol'
import type { createReport, Evidence } from '@vox/protocol/endpoints'
import type { Kysely } from 'kysely'
import type { Schema } from '../../db/schema.ts'

type NewReport = Static<NonNullable<typeof createReport.body>>

/**
 * The messages that a report rests on: those the reporter's client sent, each with whether the server knows it so, and
 * the server's own copy of the message named, so that deleting that does not delete the case (spec 03, section 16).
 */
export async function gatherEvidence(db: Kysely<Schema>, report: NewReport): Promise<Evidence[]> {
  const { messages = [], msg_id, feed_id, dm_id, reported_user_id } = report
  const sent = messages.map((message) => message.msg_id)
  const stored = await messagesWith(db, msg_id === undefined ? sent : [...sent, msg_id])
  const evidence = messages.map((message) => {
    const known = stored.get(message.msg_id)
    return { ...message, verified: known?.author_id === reported_user_id && known.body === message.body }
  })
  const named = msg_id === undefined || sent.includes(msg_id) ? undefined : stored.get(msg_id)
  if (named?.body && (named.feed_id === feed_id || named.dm_id === dm_id))
    evidence.push({
      msg_id: named.msg_id,
      body: named.body,
      timestamp: snowflakeTime(named.msg_id),
      verified: named.author_id === reported_user_id,
    })
  return evidence
}

async function messagesWith(db: Kysely<Schema>, ids: readonly bigint[]) {
  const found = db
    .selectFrom('messages')
    .select(['msg_id', 'feed_id', 'dm_id', 'author_id', 'body'])
    .where('msg_id', 'in', ids)
  const rows = ids.length > 0 ? await found.execute() : []
  return new Map(rows.map((row) => [row.msg_id, row]))
}
