import { ApiError, decode, List, Permission, parseJson, type Static, stringifyJson } from '@vox/protocol'
import {
  type createReport,
  Evidence,
  type listReports,
  type ReportObject,
  type ReportSummary,
  type resolveReport,
} from '@vox/protocol/endpoints'
import type { Kysely, Selectable } from 'kysely'
import { seconds } from '../../clock.ts'
import type { Reports as ReportTable, Schema } from '../../db/schema.ts'
import type { Work } from '../../events/work.ts'
import { demandPermission } from '../../http/pipeline.ts'
import { pageSize } from '../../pages.ts'
import type { Services } from '../../services.ts'
import { takesPart } from '../dms/participants.ts'
import { kick } from '../members/departure.ts'
import { demandAccount } from '../users/accounts.ts'
import type { Bans } from './bans.ts'
import { gatherEvidence } from './evidence.ts'
import type { Warnings } from './warnings.ts'

const USUAL_PAGE = 50

type NewReport = Static<NonNullable<typeof createReport.body>>
type Resolution = Static<NonNullable<typeof resolveReport.body>>
type ReportRow = Selectable<ReportTable>

/** Cases that members bring before the moderators (spec 03, section 16). */
export class Reports {
  readonly #services: Services
  readonly #bans: Bans
  readonly #warnings: Warnings

  constructor(services: Services, bans: Bans, warnings: Warnings) {
    this.#services = services
    this.#bans = bans
    this.#warnings = warnings
  }

  create(reporterId: number, report: NewReport): Promise<ReportSummary> {
    const { work, clock } = this.#services
    return work.run(async (job) => {
      await this.#check(job, reporterId, report)
      const evidence = await gatherEvidence(job.db, report)
      const row = await job.db
        .insertInto('reports')
        .values({
          reporter_id: reporterId,
          reported_user_id: report.reported_user_id,
          reason: report.reason,
          description: report.description ?? null,
          feed_id: report.feed_id ?? null,
          dm_id: report.dm_id ?? null,
          msg_id: report.msg_id ?? null,
          evidence: evidence.length > 0 ? stringifyJson(evidence) : null,
          created_at: clock.now(),
        })
        .returningAll()
        .executeTakeFirstOrThrow()
      return summary(row)
    })
  }

  async list(query: Static<typeof listReports.query>): Promise<ReportSummary[]> {
    const { db, config } = this.#services
    let reports = db.read
      .selectFrom('reports')
      .selectAll()
      .where('report_id', '>', query.after ?? 0)
    if (query.status) reports = reports.where('action', query.status === 'open' ? 'is' : 'is not', null)
    const size = pageSize(query, config.limits.page_limit_reports, USUAL_PAGE)
    return (await reports.orderBy('report_id').limit(size).execute()).map(summary)
  }

  async get(reportId: number): Promise<ReportObject> {
    const { db, config } = this.#services
    const row = await find(db.read, reportId)
    const { feed_id, dm_id, msg_id, description, action, resolved_by, evidence, resolved_at } = row
    return {
      ...summary(row),
      feed_id,
      dm_id,
      msg_id,
      description,
      evidence: evidence === null ? null : decode(List(Evidence), parseJson(evidence), config.limits),
      action,
      resolved_at: resolved_at === null ? null : seconds(resolved_at),
      resolved_by,
    }
  }

  /** Resolves a report and does what the action says; if that cannot be done, the report stays as it was. */
  async resolve(callerId: number, reportId: number, { action, reason }: Resolution): Promise<void> {
    const { work, clock } = this.#services
    const userId = await work.run(async (job) => {
      const report = await find(job.db, reportId)
      await this.#carryOut(job, callerId, report, action, reason ?? report.reason)
      await job.db
        .updateTable('reports')
        .set({ action, resolved_at: clock.now(), resolved_by: callerId })
        .where('report_id', '=', reportId)
        .execute()
      job.audit({ type: 'report.resolve', actor: callerId, target: reportId, metadata: { action } })
      return report.reported_user_id
    })
    if (action === 'warn') await this.#warnings.deliver(userId)
  }

  delete(callerId: number, reportId: number): Promise<void> {
    return this.#services.work.run(async (job) => {
      const { reported_user_id, reason } = await find(job.db, reportId)
      await job.db.deleteFrom('reports').where('report_id', '=', reportId).execute()
      const metadata = { reported_user_id, reason }
      job.audit({ type: 'report.delete', actor: callerId, target: reportId, metadata })
    })
  }

  async #check(job: Work, reporterId: number, { reported_user_id, feed_id, dm_id }: NewReport): Promise<void> {
    await demandAccount(job.db, reported_user_id)
    if (reported_user_id === reporterId)
      throw new ApiError('INVALID_TARGET', { message: 'You cannot report yourself.' })
    if (feed_id !== undefined && !this.#services.community.finds(reporterId, { type: 'feed', id: feed_id }))
      throw new ApiError('SPACE_NOT_FOUND')
    if (dm_id !== undefined && !(await takesPart(job.db, reporterId, dm_id))) throw new ApiError('NOT_DM_PARTICIPANT')
  }

  /** A user who is gone or banned already is no error: some clients act first and resolve afterwards. */
  async #carryOut(job: Work, callerId: number, report: ReportRow, action: string, reason: string): Promise<void> {
    const { community } = this.#services
    const { reported_user_id: userId, report_id } = report
    const mine = userId === callerId && ['kick', 'ban', 'warn'].includes(action)
    if (mine) throw new ApiError('INVALID_TARGET', { message: 'Somebody else has to resolve a report about you.' })
    const held = community.permissions(callerId)
    if (action === 'kick') {
      demandPermission(held, Permission.KICK_MEMBERS)
      if (community.isMember(userId)) await kick(this.#services, job, callerId, userId, reason)
    } else if (action === 'ban') {
      demandPermission(held, Permission.BAN_MEMBERS)
      if (!community.accounts.banned.has(userId)) await this.#bans.ban(job, callerId, userId, { reason })
    } else if (action === 'warn') {
      await this.#warnings.add(job, userId, reason)
      job.audit({ type: 'member.warn', actor: callerId, target: userId, metadata: { report_id, reason } })
    }
  }
}

async function find(db: Kysely<Schema>, reportId: number): Promise<ReportRow> {
  const report = await db.selectFrom('reports').selectAll().where('report_id', '=', reportId).executeTakeFirst()
  if (!report) throw new ApiError('REPORT_NOT_FOUND')
  return report
}

function summary({ report_id, reporter_id, reported_user_id, reason, action, created_at }: ReportRow): ReportSummary {
  const status = action === null ? 'open' : 'resolved'
  return { report_id, reporter_id, reported_user_id, reason, status, created_at: seconds(created_at) }
}
