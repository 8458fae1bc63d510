import type { ColumnType, GeneratedAlways } from 'kysely'

/*
 * The tables, as queries see them on either engine. Columns bear the names the wire uses. What holds for all of them:
 *
 * - Times are Unix milliseconds (`number`), also where the wire speaks seconds. Rows whose id is a snowflake have no
 *   time column: the time is in the id.
 * - Ids that the database issues (`Id`) never go back and are never reused.
 * - Integers are `number`, except in the columns that columns.ts lists as `bigint`. Results are converted by column
 *   name, so a computed column takes a name that has its type: `max(msg_id) as msg_id`.
 */

/** A 32-bit id, issued by the database. */
type Id = GeneratedAlways<number>

/** A column that may be left out on insert. */
type Defaulted<T> = ColumnType<T, T | undefined, T>

/** Written once. */
type Fixed<T> = ColumnType<T, T, never>

/** Local members, bots, and shadows of remote users. Never deleted, only deactivated. */
export interface Users {
  user_id: Id
  username: string
  /** The username after NFKC and case folding: unique among local users, compared on login. */
  username_key: string
  display_name: string | null
  avatar: string | null
  bio: string | null
  nickname: string | null
  /** Null for remote users and bots. */
  password_hash: string | null
  /** Null for local users. */
  home_domain: string | null
  federated: Defaulted<boolean>
  active: Defaulted<boolean>
  created_at: Fixed<number>
  joined_at: number | null
}

/** Bearer tokens, of which only a hash is kept. */
export interface AuthSessions {
  session_id: Id
  user_id: Fixed<number>
  token_hash: string
  kind: Fixed<'session' | 'mfa' | 'setup_totp' | 'setup_webauthn' | 'federation'>
  created_at: Fixed<number>
  expires_at: number
  /** Of a second-factor ticket: wrong proofs so far. */
  failures: Defaulted<number>
}

/** Wrong second factors, for as long as they count. */
export interface SecondFactorFailures {
  failure_id: Id
  user_id: Fixed<number>
  failed_at: Fixed<number>
}

/** Shared secrets of authenticator apps; one per user. */
export interface TotpSecrets {
  user_id: Fixed<number>
  /** Base32. */
  secret: Fixed<string>
  /** The ticket of the set-up that has yet to confirm it; null once that has happened. */
  setup_id: number | null
  /** The latest 30-second step whose code has been used. */
  last_step: number | null
}

export interface Passkeys {
  passkey_id: Id
  user_id: Fixed<number>
  /** This and the key: base64url. */
  credential_id: Fixed<string>
  /** COSE. */
  public_key: Fixed<string>
  name: Fixed<string>
  sign_count: number
  /** JSON list. */
  transports: Fixed<string>
  registered_at: Fixed<number>
  last_used_at: number | null
}

/** Passkey ceremonies that have begun. */
export interface WebauthnChallenges {
  challenge_id: Fixed<string>
  user_id: Fixed<number>
  /** The ticket of the set-up it was made for; null if it is for logging in. */
  setup_id: Fixed<number | null>
  /** Base64url. */
  challenge: Fixed<string>
  /** This and the origins: as configured when the challenge was made. */
  rp_id: Fixed<string>
  /** JSON list. */
  origins: Fixed<string>
  expires_at: Fixed<number>
}

export interface RecoveryCodes {
  recovery_code_id: Id
  user_id: Fixed<number>
  code_hash: Fixed<string>
  used: Defaulted<boolean>
}

/** Configuration rows. */
export interface Settings {
  key: Fixed<string>
  value: string
}

/** What happened once and must never happen again, such as `bootstrapped`. */
export interface ServerMarks {
  name: Fixed<string>
}

export interface Roles {
  role_id: Id
  name: string
  /** 24-bit RGB. */
  color: number | null
  position: number
  permissions: bigint
  /** `@everyone`. */
  builtin: Defaulted<boolean>
  hoist: Defaulted<boolean>
  mentionable: Defaulted<boolean>
}

export interface RoleMembers {
  role_id: Fixed<number>
  user_id: Fixed<number>
}

export interface Categories {
  category_id: Id
  name: string
  position: number
}

export interface Feeds {
  feed_id: Id
  name: string
  type: Fixed<'text' | 'forum' | 'announcement'>
  topic: string | null
  category_id: number | null
  position: number
  nsfw: Defaulted<boolean>
  slowmode_seconds: Defaulted<number>
  /** It is gone, but for its messages, which are being erased. */
  deleted: Defaulted<boolean>
}

export interface Rooms {
  room_id: Id
  name: string
  type: Fixed<'voice' | 'stage'>
  topic: string | null
  category_id: number | null
  position: number
  /** 0: as many as the server allows. */
  user_limit: Defaulted<number>
  /** Bits per second. */
  bitrate: Defaulted<number>
}

/** What one role or user is allowed and denied in one feed or room; one row per pair. */
export interface PermissionOverrides {
  override_id: Id
  /** Exactly one of feed and room is set. */
  feed_id: Fixed<number | null>
  room_id: Fixed<number | null>
  /** Exactly one of role and user is set. */
  role_id: Fixed<number | null>
  user_id: Fixed<number | null>
  allow: bigint
  deny: bigint
}

export interface Messages {
  msg_id: Fixed<bigint>
  /** Exactly one of feed and conversation is set. */
  feed_id: Fixed<number | null>
  dm_id: Fixed<number | null>
  /** A thread of the feed; null outside of threads. */
  thread_id: Fixed<number | null>
  /** Null in messages that no user wrote. */
  author_id: Fixed<number | null>
  body: string | null
  opaque_blob: string | null
  /** Kept when the message it names is gone. */
  reply_to: Fixed<bigint | null>
  edit_timestamp: number | null
  /** JSON list of user ids, 0 for everyone; null if it is empty. */
  mentions: Fixed<string | null>
  /** JSON list of all embeds, with the keys that were given; null for none. */
  embeds: Fixed<string | null>
  /** JSON list of the files attached to it, as clients see them; null for none. */
  files: string | null
  /** JSON list; null for none. */
  components: Fixed<string | null>
  /** The webhook that posted it, kept when that is gone, and what it was called and looked like then. */
  webhook_id: Fixed<number | null>
  webhook_name: Fixed<string | null>
  webhook_avatar: Fixed<string | null>
}

/** A conversation outside of feeds: of a pair of users, or of a group. */
export interface Dms {
  dm_id: Id
  /** The two of a pair; null in a group. No pair has two conversations. */
  lower_user_id: number | null
  higher_user_id: number | null
  /** This and the icon: null in a pair. */
  name: string | null
  icon: string | null
  created_at: Fixed<number>
}

/** Who takes part in a conversation, in the order of joining, which is that of the ids. */
export interface DmParticipants {
  participant_id: Id
  dm_id: Fixed<number>
  user_id: Fixed<number>
  /** Closed by the user, until something happens in it. */
  hidden: Defaulted<boolean>
  /** How far the user has read; null before that. */
  read_msg_id: bigint | null
}

/** Who reacted to a message with which emoji, in the order of the ids. */
export interface MessageReactions {
  reaction_id: Id
  msg_id: Fixed<bigint>
  user_id: Fixed<number>
  emoji: Fixed<string>
}

/** How far somebody has read in a feed. */
export interface FeedReads {
  feed_id: Fixed<number>
  user_id: Fixed<number>
  msg_id: bigint
}

export interface Pins {
  msg_id: Fixed<bigint>
  feed_id: Fixed<number>
  pinned_at: Fixed<number>
}

export interface Bans {
  user_id: Fixed<number>
  reason: string | null
  /** Null when no user banned. */
  banned_by: Fixed<number | null>
  created_at: Fixed<number>
}

/** How a user sees another one; of each pair there are two rows, or none. */
export interface Friends {
  user_id: Fixed<number>
  friend_id: Fixed<number>
  /** `pending`: the user has asked; `incoming`: the other one has. */
  status: 'pending' | 'incoming' | 'accepted'
  /** When it became so. */
  since: number
}

export interface Blocks {
  user_id: Fixed<number>
  blocked_id: Fixed<number>
}

export interface DmSettings {
  user_id: Fixed<number>
  dm_permission: 'everyone' | 'friends_only' | 'mutual_servers' | 'nobody'
}

export interface Invites {
  code: Fixed<string>
  creator_id: Fixed<number>
  feed_id: Fixed<number | null>
  /** Null or 0: as many as come. */
  max_uses: Fixed<number | null>
  uses: Defaulted<number>
  expires_at: Fixed<number | null>
  created_at: Fixed<number>
}

/** Who has come by which invite: each account counts once. */
export interface InviteUses {
  code: Fixed<string>
  user_id: Fixed<number>
}

/** Cases for the moderators. Rows outlive the feed, conversation and message they name. */
export interface Reports {
  report_id: Id
  reporter_id: Fixed<number>
  reported_user_id: Fixed<number>
  reason: Fixed<string>
  description: Fixed<string | null>
  feed_id: Fixed<number | null>
  dm_id: Fixed<number | null>
  msg_id: Fixed<bigint | null>
  /** JSON. */
  evidence: Fixed<string | null>
  created_at: Fixed<number>
  /** Null while the report is open, like what follows. */
  action: string | null
  resolved_at: number | null
  resolved_by: number | null
}

/** Warnings by moderators that their user has not seen yet. */
export interface Warnings {
  warning_id: Id
  user_id: Fixed<number>
  reason: Fixed<string>
}

/** Hangs on a message of a feed. */
export interface Threads {
  thread_id: Id
  parent_feed_id: Fixed<number>
  /** Kept when the message is gone. */
  parent_msg_id: Fixed<bigint>
  name: string
  archived: Defaulted<boolean>
  locked: Defaulted<boolean>
  /** Null when no user began it. */
  creator_id: Fixed<number | null>
  created_at: Fixed<number>
}

export interface FeedSubscribers {
  feed_id: Fixed<number>
  user_id: Fixed<number>
}

export interface ThreadSubscribers {
  thread_id: Fixed<number>
  user_id: Fixed<number>
}

/** The last message of each user in a feed with slow mode; kept when the message is gone. */
export interface SlowModePosts {
  feed_id: Fixed<number>
  user_id: Fixed<number>
  msg_id: bigint
}

/** What is known of uploaded bytes, which the storage keeps under the file's id. */
export interface Files {
  file_id: Fixed<string>
  name: Fixed<string>
  /** Bytes. */
  size: Fixed<number>
  mime: Fixed<string>
  url: Fixed<string>
  uploader_id: Fixed<number>
  /** Where it was uploaded, a feed or a conversation; null for pictures, and when that is gone. */
  feed_id: Fixed<number | null>
  dm_id: Fixed<number | null>
  created_at: Fixed<number>
  /** Of pictures whose header says it; pixels. */
  width: Fixed<number | null>
  height: Fixed<number | null>
}

export interface MessageAttachments {
  msg_id: Fixed<bigint>
  file_id: Fixed<string>
  position: Fixed<number>
}

export interface Emoji {
  emoji_id: Id
  name: string
  file_id: Fixed<string>
  creator_id: Fixed<number>
}

export interface Stickers {
  sticker_id: Id
  name: string
  file_id: Fixed<string>
  creator_id: Fixed<number>
}

/** Programs: what their accounts have beyond those of people. */
export interface Bots {
  bot_id: Id
  user_id: Fixed<number>
  owner_id: Fixed<number>
  /** Where interactions are posted; null for a bot that gets them over the gateway. */
  interaction_url: string | null
  /** Signs what is posted there, so it is kept as it is. */
  interaction_secret: string
  created_at: Fixed<number>
}

/** What posts into a feed without an account. */
export interface Webhooks {
  webhook_id: Id
  feed_id: Fixed<number>
  name: string
  avatar: string | null
  /** SHA-256 of the token, which is shown once. */
  token_hash: Fixed<string>
  created_at: Fixed<number>
}

/** In the order of registration. */
export interface BotCommands {
  command_id: Id
  bot_id: Fixed<number>
  /** Unique on the whole server. */
  name: Fixed<string>
  description: Fixed<string | null>
  /** JSON list. */
  params: Fixed<string>
}

/** Client installations that take part in encryption. */
export interface Devices {
  /** In the order of registration. */
  device_number: Id
  /** Chosen by the client; unique over all users. */
  device_id: Fixed<string>
  user_id: Fixed<number>
  device_name: Fixed<string>
  created_at: Fixed<number>
}

export interface Prekeys {
  device_id: Fixed<string>
  identity_key: string
  signed_prekey: string
}

/** Handed out once each, oldest first. */
export interface OneTimePrekeys {
  prekey_id: Id
  device_id: Fixed<string>
  key_data: Fixed<string>
}

/** One-time prekeys that were given away within the last hour. */
export interface PrekeyHandouts {
  handout_id: Id
  owner_id: Fixed<number>
  receiver_id: Fixed<number>
  handed_at: Fixed<number>
}

/** MLS key packages on offer. */
export interface KeyPackages {
  package_id: Id
  device_id: Fixed<string>
  /** The bare package in base64. */
  key_data: Fixed<string>
  /** SHA-256 in hex. */
  reference: Fixed<string>
  /** Base64. */
  signature_key: Fixed<string>
  /** Handed out when there is no other, as often as needed; one per device. */
  last_resort: Fixed<boolean>
  expires_at: Fixed<number>
}

/** Key packages that were given away within the last 30 days; the device may be gone. */
export interface KeyPackageHandouts {
  handout_id: Id
  owner_id: Fixed<number>
  device_id: Fixed<string>
  receiver_id: Fixed<number>
  reference: Fixed<string>
  last_resort: Fixed<boolean>
  handed_at: Fixed<number>
  /** How many Welcomes it has carried to the owner. */
  welcomes: Defaulted<number>
}

export interface KeyBackups {
  user_id: Fixed<number>
  encrypted_blob: string
  updated_at: number
}

/** MLS messages on their way between devices. */
export interface Relays {
  relay_id: Fixed<bigint>
  mls_type: Fixed<'welcome' | 'commit' | 'proposal'>
  /** As the sender wrote it. */
  data: Fixed<string>
  /** As clients name the group; null for Welcomes. */
  group_id: Fixed<string | null>
  /** Null when it is unknown. Kept when the conversation is gone. */
  dm_id: Fixed<number | null>
  /** Where everybody who sees the feed is a recipient. */
  feed_id: Fixed<number | null>
  sender_id: Fixed<number>
}

/** Who may read which relay, its sender included. */
export interface RelayRecipients {
  user_id: Fixed<number>
  relay_id: Fixed<bigint>
  sender_id: Fixed<number>
}

/** Whose sessions have not been told of all relays: nobody was there. */
export interface RelayBacklogs {
  user_id: Fixed<number>
  /** The first relay that they have not been told of. */
  first_missed: bigint
}

/** Commits that won their epoch since the group of the conversation was created. */
export interface DmCommits {
  dm_id: Fixed<number>
  /** The 64 bits of the epoch as a signed integer. */
  epoch: Fixed<bigint>
  relay_id: Fixed<bigint>
}

/** Events kept for sync. Rows outlive the space they name. */
export interface EventLog {
  event_id: Fixed<bigint>
  type: Fixed<string>
  /** The event's data as sent, in JSON. */
  payload: Fixed<string>
  /** Readers need to see this feed. */
  feed_id: Fixed<number | null>
  /** Readers need to see this room. */
  room_id: Fixed<number | null>
  /** Readers need these permissions. */
  permission: Fixed<bigint | null>
}

export interface AuditLog {
  entry_id: Fixed<bigint>
  event_type: Fixed<string>
  /** Null when no user acted. */
  actor_id: Fixed<number | null>
  /** Kept when what it names is gone. */
  target_id: Fixed<number | null>
  /** JSON. */
  metadata: Fixed<string | null>
}

export interface Schema {
  webhooks: Webhooks
  users: Users
  auth_sessions: AuthSessions
  second_factor_failures: SecondFactorFailures
  totp_secrets: TotpSecrets
  passkeys: Passkeys
  webauthn_challenges: WebauthnChallenges
  recovery_codes: RecoveryCodes
  settings: Settings
  server_marks: ServerMarks
  roles: Roles
  role_members: RoleMembers
  categories: Categories
  feeds: Feeds
  rooms: Rooms
  permission_overrides: PermissionOverrides
  dms: Dms
  dm_participants: DmParticipants
  messages: Messages
  message_reactions: MessageReactions
  pins: Pins
  feed_reads: FeedReads
  threads: Threads
  feed_subscribers: FeedSubscribers
  thread_subscribers: ThreadSubscribers
  slow_mode_posts: SlowModePosts
  bans: Bans
  friends: Friends
  blocks: Blocks
  dm_settings: DmSettings
  invites: Invites
  invite_uses: InviteUses
  reports: Reports
  warnings: Warnings
  files: Files
  message_attachments: MessageAttachments
  emoji: Emoji
  stickers: Stickers
  bots: Bots
  bot_commands: BotCommands
  devices: Devices
  prekeys: Prekeys
  one_time_prekeys: OneTimePrekeys
  prekey_handouts: PrekeyHandouts
  key_packages: KeyPackages
  key_package_handouts: KeyPackageHandouts
  key_backups: KeyBackups
  relays: Relays
  relay_recipients: RelayRecipients
  relay_backlogs: RelayBacklogs
  dm_commits: DmCommits
  event_log: EventLog
  audit_log: AuditLog
}
