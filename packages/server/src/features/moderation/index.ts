import {
  ban,
  createReport,
  deleteReport,
  getReport,
  listBans,
  listReports,
  readAuditLog,
  resolveReport,
  unban,
} from '@vox/protocol/endpoints'
import type { Mount } from '../../http/pipeline.ts'
import { cursorOf, pageOf } from '../../pages.ts'
import type { Services } from '../../services.ts'
import { auditEntries } from './audit-log.ts'
import { Bans } from './bans.ts'
import { Reports } from './reports.ts'
import { Warnings } from './warnings.ts'

/** Bans, reports and the audit log. */
export function moderation(services: Services, on: Mount): void {
  const { work } = services
  const bans = new Bans(services)
  const reports = new Reports(services, bans, new Warnings(services))

  on(listBans, async ({ query }) => pageOf(await bans.list(query), ({ user_id }) => user_id))
  on(ban, ({ params, body, caller }) => work.run((job) => bans.ban(job, caller.userId, params.user_id, body)))
  on(unban, ({ params, caller }) => work.run((job) => bans.lift(job, caller.userId, params.user_id)))

  on(createReport, ({ body, caller }) => reports.create(caller.userId, body))
  on(listReports, async ({ query }) => pageOf(await reports.list(query), ({ report_id }) => report_id))
  on(getReport, ({ params }) => reports.get(params.report_id))
  on(resolveReport, ({ params, body, caller }) => reports.resolve(caller.userId, params.report_id, body))
  on(deleteReport, ({ params, caller }) => reports.delete(caller.userId, params.report_id))

  on(readAuditLog, async ({ query }) => {
    const entries = await auditEntries(services, query)
    return { entries, cursor: cursorOf(entries, ({ entry_id }) => entry_id) }
  })
}
