import { endpoint } from '../endpoint.ts'
import {
  accepting,
  Fields,
  Flag,
  Id,
  Integer,
  List,
  Maybe,
  Milliseconds,
  Nullable,
  OneOf,
  refine,
  Seconds,
  Snowflake,
  type Static,
  Text,
} from '../schema.ts'
import { Page, PageQuery } from './common.ts'

/** A report as the list shows it (spec 03, section 16). */
export const ReportSummary = Fields({
  report_id: Id,
  reporter_id: Id,
  reported_user_id: Id,
  reason: Text(),
  status: OneOf('open', 'resolved'),
  created_at: Seconds,
})
/** A report as the list shows it. */
export type ReportSummary = Static<typeof ReportSummary>

/** A message that a report rests on; `verified` when the server knows it from the reported user with this text. */
export const Evidence = Fields({ msg_id: Snowflake, body: Text(), timestamp: Milliseconds, verified: Flag })
/** A message that a report rests on. */
export type Evidence = Static<typeof Evidence>

/** A report in full (spec 03, section 16). */
export const ReportObject = Fields({
  ...ReportSummary.properties,
  feed_id: Nullable(Id),
  dm_id: Nullable(Id),
  msg_id: Nullable(Snowflake),
  description: Nullable(Text()),
  evidence: Nullable(List(Evidence)),
  action: Nullable(Text()),
  resolved_at: Nullable(Seconds),
  resolved_by: Nullable(Id),
})
/** A report in full. */
export type ReportObject = Static<typeof ReportObject>

const MAX_EVIDENCE = 50
const MAX_EVIDENCE_BODY = 20_000
const MAX_ACTION = 50

const notBlank = (text: string) => (/^\p{White_Space}*$/u.test(text) ? 'must not be blank' : undefined)

const ISO_TIME = /^(\d{4}-\d\d-\d\dT\d\d:\d\d(?::\d\d(?:\.\d+)?)?)(Z|[+-]\d\d:\d\d)?$/

/** Unix milliseconds, or the same instant in ISO 8601; UTC where that names no zone. */
const Instant = accepting(Integer(), (raw) => {
  const [, local, zone = 'Z'] = (typeof raw === 'string' && ISO_TIME.exec(raw)) || []
  return local === undefined ? raw : Date.parse(local + zone)
})

/** Reports a user to the moderators (spec 03, section 16). */
export const createReport = endpoint({
  method: 'POST',
  path: '/reports',
  summary: 'Report a user',
  auth: 'session',
  body: Fields({
    reported_user_id: Id,
    reason: refine(Text({ max: 'report_reason_max' }), notBlank),
    description: Maybe(Text({ max: 'report_description_max' })),
    feed_id: Maybe(Id),
    dm_id: Maybe(Id),
    msg_id: Maybe(Snowflake),
    messages: Maybe(
      List(Fields({ msg_id: Snowflake, body: Text({ max: MAX_EVIDENCE_BODY }), timestamp: Instant }), {
        max: MAX_EVIDENCE,
      }),
    ),
  }),
  reply: { 201: ReportSummary },
  errors: ['USER_NOT_FOUND', 'INVALID_TARGET', 'SPACE_NOT_FOUND', 'NOT_DM_PARTICIPANT'],
})

/** Reports by id (spec 03, section 16). */
export const listReports = endpoint({
  method: 'GET',
  path: '/reports',
  summary: 'Reports',
  auth: 'session',
  requires: { permission: 'VIEW_REPORTS' },
  query: PageQuery(Integer(0), { status: Maybe(OneOf('open', 'resolved')) }),
  reply: { 200: Page(ReportSummary) },
  errors: ['MISSING_PERMISSIONS'],
})

const ReportParams = Fields({ report_id: Id })

/** One report with its evidence (spec 03, section 16). */
export const getReport = endpoint({
  method: 'GET',
  path: '/reports/:report_id',
  summary: 'Read a report',
  auth: 'session',
  requires: { permission: 'VIEW_REPORTS' },
  params: ReportParams,
  reply: { 200: ReportObject },
  errors: ['MISSING_PERMISSIONS', 'REPORT_NOT_FOUND'],
})

/** Resolves a report; `kick`, `ban` and `warn` are carried out, other words are recorded (spec 03, section 16). */
export const resolveReport = endpoint({
  method: 'POST',
  path: '/reports/:report_id/resolve',
  summary: 'Resolve a report',
  auth: 'session',
  requires: { permission: 'MANAGE_REPORTS' },
  params: ReportParams,
  body: Fields({ action: Text({ min: 1, max: MAX_ACTION }), reason: Maybe(Text({ max: 'ban_reason_max' })) }),
  reply: { 204: null },
  errors: ['MISSING_PERMISSIONS', 'REPORT_NOT_FOUND', 'ROLE_HIERARCHY', 'INVALID_TARGET'],
})

/** Deletes a report with its evidence (spec 03, section 16). */
export const deleteReport = endpoint({
  method: 'DELETE',
  path: '/reports/:report_id',
  summary: 'Delete a report',
  auth: 'session',
  requires: { permission: 'MANAGE_REPORTS' },
  params: ReportParams,
  reply: { 204: null },
  errors: ['MISSING_PERMISSIONS', 'REPORT_NOT_FOUND'],
})
