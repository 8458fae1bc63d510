/** A setting that bounds some input or resource; all are integers (spec 01, section 10.3; spec 06, section 7). */
export interface Limit {
  default: number
  /** Smallest value an operator may set. */
  min: number
  /** Largest value an operator may set. */
  max: number
  doc: string
}

const INT32_MAX = 2 ** 31 - 1

const limit = (value: number, doc: string, min = 0, max = INT32_MAX): Limit => ({ default: value, min, max, doc })
const atLeastOne = (value: number, doc: string): Limit => limit(value, doc, 1)
const page = (value: number, doc: string): Limit => limit(value, doc, 1, 1000)

/** Every limit by its bare name, as `/server/limits` shows it. */
export const LIMITS = {
  username_min: limit(1, 'shortest username, characters'),
  username_max: atLeastOne(32, 'longest username, characters'),
  password_min: atLeastOne(8, 'shortest password, characters'),
  password_max: limit(128, 'longest password, characters'),
  display_name_max: limit(64, 'longest display name, characters'),
  mfa_code_max: limit(32, 'longest TOTP or recovery code, characters'),
  mfa_ticket_max: limit(256, 'longest second-factor ticket, characters'),
  webauthn_field_max: limit(4096, 'longest text field of a passkey login, characters'),
  avatar_max: limit(512, 'longest avatar URL, characters'),
  bio_max: limit(256, 'longest biography, characters'),
  nickname_max: limit(64, 'longest nickname, characters'),
  message_body_max: atLeastOne(4000, 'longest message body, characters'),
  bulk_delete_max: limit(100, 'messages per bulk delete'),
  max_pins_per_feed: limit(50, 'pins per feed'),
  group_dm_recipients_max: limit(10, 'participants of a group DM, its creator included'),
  dm_name_max: limit(64, 'longest group DM name, characters'),
  dm_icon_max: limit(512, 'longest group DM icon URL, characters'),
  channel_name_min: limit(1, 'shortest name of a feed, room, category or thread, characters'),
  channel_name_max: atLeastOne(64, 'longest name of a feed, room, category or thread, characters'),
  topic_max: limit(256, 'longest feed or stage topic, characters'),
  role_name_min: limit(1, 'shortest role name, characters'),
  role_name_max: atLeastOne(64, 'longest role name, characters'),
  device_name_max: limit(64, 'longest device name, characters'),
  device_id_max: limit(128, 'longest device id, characters'),
  key_backup_max: limit(1_000_000, 'largest key backup, characters'),
  max_devices: atLeastOne(10, 'devices per user'),
  report_reason_max: limit(64, 'longest report reason, characters'),
  report_description_max: limit(2000, 'longest report description, characters'),
  admin_reason_max: limit(256, 'longest reason of a 2FA reset or a federation list entry, characters'),
  kick_reason_max: limit(256, 'longest kick reason, characters'),
  ban_reason_max: limit(256, 'longest ban reason, characters'),
  ban_delete_days_max: limit(14, 'days of messages a ban may delete'),
  invite_max_uses_max: limit(10_000, 'largest max_uses of an invite'),
  invite_max_age_max: limit(2_592_000, 'largest max_age of an invite, seconds'),
  server_name_max: limit(64, 'longest server name, characters'),
  server_description_max: limit(256, 'longest server description, characters'),
  server_icon_max: limit(512, 'longest server icon URL, characters'),
  webhook_name_max: limit(64, 'longest webhook name, characters'),
  command_name_max: limit(32, 'longest bot command or parameter name, characters'),
  command_description_max: limit(256, 'longest bot command or parameter description, characters'),
  emoji_name_max: limit(32, 'longest emoji or sticker name, characters'),
  federation_address_max: limit(256, 'longest user@domain address, characters'),
  federation_presence_sub_limit: limit(1000, 'presence subscriptions per domain'),
  relay_payload_max: limit(16_384, 'largest relayed key-exchange payload, characters'),
  file_upload_max_bytes: limit(26_214_400, 'largest file, emoji or sticker, bytes'),
  max_total_connections: atLeastOne(10_000, 'live gateway connections'),
  connections_per_ip: limit(10, 'live gateway connections per client address, 0 = no limit'),
  sessions_per_user: limit(5, 'live gateway sessions per user, 0 = no limit'),
  gateway_messages_per_minute: atLeastOne(120, 'client messages per 60 s and gateway connection'),
  gateway_auth_failures_per_minute: atLeastOne(10, 'failed gateway logins per 60 s and client address'),
  replay_buffer_events: atLeastOne(1000, 'events kept for the resume of a gateway session'),
  resume_window_seconds: limit(300, 'time a dropped gateway session stays resumable, seconds'),
  presence_custom_status_max: limit(128, 'longest custom status, characters'),
  presence_activity_max: limit(512, 'largest presence activity, characters of JSON'),
  max_request_body: atLeastOne(1_048_576, 'largest request body other than uploads, bytes'),
  voice_room_max_members: limit(99, 'participants of a room without a maximum of its own'),
  page_limit_messages: page(100, 'largest page of messages'),
  page_limit_dms: page(100, 'largest page of direct message conversations'),
  page_limit_reports: page(100, 'largest page of reports'),
  page_limit_audit_log: page(100, 'largest page of the audit log'),
  page_limit_search: page(100, 'largest page of search results'),
  page_limit_invites: page(100, 'largest page of invites'),
  page_limit_members: page(200, 'largest page of members'),
  page_limit_emoji: page(200, 'largest page of emoji'),
  page_limit_roles: page(200, 'largest page of roles'),
  page_limit_bans: page(200, 'largest page of bans'),
  page_limit_friends: page(200, 'largest page of friends'),
  page_limit_stickers: page(200, 'largest page of stickers'),
  federation_relays_per_hour: limit(3600, 'federated relays per hour and peer'),
  federation_joins_per_hour: limit(20, 'federated joins per hour and peer'),
} as const satisfies Record<string, Limit>

/** Bare name of a limit, for example `message_body_max`. */
export type LimitName = keyof typeof LIMITS

/** Effective values of all limits. */
export type Limits = Readonly<Record<LimitName, number>>

/** Pairs in which the first value must not exceed the second. */
export const LIMIT_PAIRS: readonly (readonly [LimitName, LimitName])[] = [
  ['username_min', 'username_max'],
  ['password_min', 'password_max'],
  ['channel_name_min', 'channel_name_max'],
  ['role_name_min', 'role_name_max'],
]

/** The limits of a server on which nothing was set. */
export const DEFAULT_LIMITS: Limits = Object.freeze(
  Object.fromEntries(Object.entries(LIMITS).map(([name, { default: value }]) => [name, value])) as Record<
    LimitName,
    number
  >,
)
