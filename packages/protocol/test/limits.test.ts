import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { DEFAULT_LIMITS, LIMIT_PAIRS, LIMITS, type LimitName } from '../src/index.ts'

/** The defaults of spec 01, section 10.3. */
const DEFAULTS = {
  username_min: 1,
  username_max: 32,
  password_min: 8,
  password_max: 128,
  display_name_max: 64,
  mfa_code_max: 32,
  mfa_ticket_max: 256,
  webauthn_field_max: 4096,
  avatar_max: 512,
  bio_max: 256,
  nickname_max: 64,
  message_body_max: 4000,
  bulk_delete_max: 100,
  max_pins_per_feed: 50,
  group_dm_recipients_max: 10,
  dm_name_max: 64,
  dm_icon_max: 512,
  channel_name_min: 1,
  channel_name_max: 64,
  topic_max: 256,
  role_name_min: 1,
  role_name_max: 64,
  device_name_max: 64,
  device_id_max: 128,
  key_backup_max: 1_000_000,
  max_devices: 10,
  report_reason_max: 64,
  report_description_max: 2000,
  admin_reason_max: 256,
  kick_reason_max: 256,
  ban_reason_max: 256,
  ban_delete_days_max: 14,
  invite_max_uses_max: 10_000,
  invite_max_age_max: 2_592_000,
  server_name_max: 64,
  server_description_max: 256,
  server_icon_max: 512,
  webhook_name_max: 64,
  command_name_max: 32,
  command_description_max: 256,
  emoji_name_max: 32,
  federation_address_max: 256,
  federation_presence_sub_limit: 1000,
  relay_payload_max: 16_384,
  file_upload_max_bytes: 26_214_400,
  max_total_connections: 10_000,
  presence_custom_status_max: 128,
  presence_activity_max: 512,
  max_request_body: 1_048_576,
  voice_room_max_members: 99,
  page_limit_messages: 100,
  page_limit_dms: 100,
  page_limit_reports: 100,
  page_limit_audit_log: 100,
  page_limit_search: 100,
  page_limit_invites: 100,
  page_limit_members: 200,
  page_limit_emoji: 200,
  page_limit_roles: 200,
  page_limit_bans: 200,
  page_limit_friends: 200,
  page_limit_stickers: 200,
  federation_relays_per_hour: 3600,
  federation_joins_per_hour: 20,
} satisfies Partial<Record<LimitName, number>>

const AT_LEAST_ONE: readonly LimitName[] = [
  'password_min',
  'username_max',
  'message_body_max',
  'channel_name_max',
  'role_name_max',
  'max_devices',
  'max_request_body',
  'max_total_connections',
]

const names = Object.keys(LIMITS) as LimitName[]
const isPage = (name: string) => name.startsWith('page_limit_')

describe('limits', () => {
  it('have the documented defaults', () => {
    const documented = Object.fromEntries(
      Object.keys(DEFAULTS).map((name) => [name, DEFAULT_LIMITS[name as LimitName]]),
    )
    assert.deepEqual(documented, DEFAULTS)
  })

  it('lie between 0 and 2^31 − 1, and pages between 1 and 1000', () => {
    for (const name of names) {
      const { min, max } = LIMITS[name]
      assert.ok(min === 0 || min === 1, name)
      assert.equal(max, isPage(name) ? 1000 : 2 ** 31 - 1, name)
    }
  })

  it('cannot be 0 where that would make the server unusable', () => {
    for (const name of names.filter((n) => AT_LEAST_ONE.includes(n) || isPage(n)))
      assert.equal(LIMITS[name].min, 1, name)
  })

  it('have defaults within their own bounds, and a sentence about them', () => {
    for (const name of names) {
      const limit = LIMITS[name]
      assert.ok(limit.min <= limit.default && limit.default <= limit.max, name)
      assert.ok(limit.doc.length > 0, name)
    }
  })

  it('pair every _min with its _max, in the right order by default', () => {
    const minima = names.filter((name) => name.endsWith('_min'))
    assert.deepEqual(LIMIT_PAIRS.map(([min]) => min).sort(), minima.sort())
    for (const [min, max] of LIMIT_PAIRS) {
      assert.equal(max, min.replace(/_min$/, '_max'))
      assert.ok(DEFAULT_LIMITS[min] <= DEFAULT_LIMITS[max], min)
    }
  })
})
