/**
 * Every setting of the server, declared once. Parsing, the typed values, the database tier, `.env.example`, the
 * reference in docs/configuration.md and the check for unknown variables are all derived from this table.
 */
import { LIMITS, type LimitName, RATE_LIMITS, type RateCategory, type RateLimit } from '@vox/protocol'
import { federationPolicy, staticPeers } from './federation.ts'
import {
  boolean,
  choice,
  databaseUrl,
  integer,
  type Kind,
  list,
  nonEmptyText,
  optional,
  rateLimit,
  text,
  url,
} from './kinds.ts'
import { mimeList } from './mime.ts'
import {
  domain,
  domainList,
  listenAddress,
  mediaUrl,
  origins,
  outboundAllow,
  socketAddress,
  trustedProxies,
} from './networks.ts'

export interface Setting<T = unknown> {
  /** Name of the environment variable. */
  env: string
  /** Key of the database row; settings without one come from the environment only. */
  key?: string
  kind: Kind<T>
  /** As it would be written in the environment; null where nothing is the default. */
  default: string | null
  /** What holds while nothing is set, where that is not plain from `default: null`. */
  unset?: string
  /** What invalid text counts as, with a warning, where it must not stop the start. */
  fallback?: T
  /** Never shown in a message, answer or log line. */
  secret?: true
  doc: string
}

/** Declared by name; the part before the dot is the section. */
const DECLARED = {
  'server.name': {
    env: 'VOX_SERVER_NAME',
    key: 'server_name',
    kind: text,
    default: 'Vox Server',
    doc: 'Name of the community, as everybody sees it.',
  },
  'server.icon': {
    env: 'VOX_SERVER_ICON',
    key: 'server_icon',
    kind: text,
    default: null,
    doc: 'URL of the icon.',
  },
  'server.description': {
    env: 'VOX_SERVER_DESCRIPTION',
    key: 'server_description',
    kind: text,
    default: null,
    doc: 'What the community is about.',
  },
  'server.gateway_url': {
    env: 'VOX_SERVER_GATEWAY_URL',
    key: 'gateway_url',
    kind: optional(url('ws', 'wss', 'http', 'https')),
    default: null,
    unset: 'ws://localhost:<port>/gateway',
    doc: 'Public URL of the gateway, which clients are told; behind a TLS proxy for example wss://chat.example.org/gateway.',
  },
  'server.worker_id': {
    env: 'VOX_WORKER_ID',
    kind: integer(0, 1023),
    default: '0',
    doc: 'Number of this process in the ids it draws.',
  },

  'network.host': {
    env: 'VOX_HOST',
    kind: listenAddress,
    default: '127.0.0.1',
    doc: 'Address to listen on. The server speaks plain HTTP; leave TLS to a reverse proxy on the same machine.',
  },
  'network.port': {
    env: 'VOX_PORT',
    kind: integer(0, 65_535),
    default: '8000',
    doc: 'Port to listen on; 0 takes any free one.',
  },
  'network.trusted_proxies': {
    env: 'VOX_TRUSTED_PROXIES',
    kind: trustedProxies,
    default: '127.0.0.1,::1',
    doc: 'Reverse proxies whose X-Forwarded-For names the client; none trusts nobody.',
  },
  'network.cors_origins': {
    env: 'VOX_CORS_ORIGINS',
    kind: origins,
    default: '',
    doc: 'Origins of web clients served from elsewhere.',
  },
  'network.outbound_allow': {
    env: 'VOX_OUTBOUND_ALLOW',
    kind: outboundAllow,
    default: '',
    doc: 'Hosts and blocks that link previews and bot callbacks may reach although they are not public. Hosts that only the hosts file of this machine knows have to be named.',
  },
  'network.control_socket': {
    env: 'VOX_CONTROL_SOCKET',
    kind: optional(nonEmptyText),
    default: null,
    unset: 'beside the SQLite file; for PostgreSQL in the temporary folder',
    doc: 'Unix socket through which the vox command reaches the running server.',
  },

  'database.url': {
    env: 'VOX_DATABASE_URL',
    kind: databaseUrl,
    default: 'sqlite+aiosqlite:///vox.db',
    doc: 'Where the data is: an SQLite file (relative path after three slashes, absolute after four) or PostgreSQL.',
  },
  'database.pool_size': {
    env: 'VOX_DB_POOL_SIZE',
    kind: integer(1, 10_000),
    default: '10',
    doc: 'PostgreSQL: connections kept open.',
  },
  'database.max_overflow': {
    env: 'VOX_DB_MAX_OVERFLOW',
    kind: integer(0, 10_000),
    default: '20',
    doc: 'PostgreSQL: further connections under load.',
  },
  'database.pool_recycle': {
    env: 'VOX_DB_POOL_RECYCLE',
    kind: integer(1),
    default: '1800',
    doc: 'PostgreSQL: age at which a connection is replaced, seconds.',
  },

  'storage.backend': {
    env: 'VOX_STORAGE_BACKEND',
    kind: choice('local', 's3'),
    default: 'local',
    doc: 'Where uploaded files go: a folder or an S3 bucket.',
  },
  'storage.path': {
    env: 'VOX_STORAGE_PATH',
    kind: nonEmptyText,
    default: 'uploads',
    doc: 'The folder, created if missing. With S3, uploads wait in it until they are in the bucket.',
  },
  'storage.s3_bucket': { env: 'VOX_S3_BUCKET', kind: nonEmptyText, default: 'vox-uploads', doc: 'S3: the bucket.' },
  'storage.s3_endpoint': {
    env: 'VOX_S3_ENDPOINT',
    kind: optional(url('https', 'http')),
    default: null,
    unset: 'AWS',
    doc: 'S3: URL of a compatible service.',
  },
  'storage.s3_access_key': {
    env: 'VOX_S3_ACCESS_KEY',
    kind: optional(text),
    default: null,
    unset: "the platform's default credentials",
    secret: true,
    doc: 'S3: access key.',
  },
  'storage.s3_secret_key': {
    env: 'VOX_S3_SECRET_KEY',
    kind: optional(text),
    default: null,
    unset: "the platform's default credentials",
    secret: true,
    doc: 'S3: secret key.',
  },
  'storage.s3_region': { env: 'VOX_S3_REGION', kind: nonEmptyText, default: 'us-east-1', doc: 'S3: region.' },
  'storage.s3_public_url': {
    env: 'VOX_S3_PUBLIC_URL',
    kind: optional(url('https', 'http')),
    default: null,
    unset: 'files are served by this server',
    doc: 'S3: public base URL of the bucket.',
  },

  'auth.session_ttl_days': {
    env: 'VOX_AUTH_SESSION_TTL_DAYS',
    key: 'session_ttl_days',
    kind: integer(1),
    default: '30',
    doc: 'Days until an unused session ends.',
  },
  'auth.registration': {
    env: 'VOX_AUTH_REGISTRATION',
    key: 'auth_registration',
    kind: choice('open', 'invite', 'closed'),
    default: 'open',
    doc: 'Who may create an account. The very first one is always possible.',
  },

  'webauthn.rp_id': {
    env: 'VOX_WEBAUTHN_RP_ID',
    key: 'webauthn_rp_id',
    kind: optional(nonEmptyText),
    default: null,
    doc: 'Domain that passkeys are bound to, for example chat.example.org. Passkeys need this and the origin.',
  },
  'webauthn.origin': {
    env: 'VOX_WEBAUTHN_ORIGIN',
    key: 'webauthn_origin',
    kind: optional(list('a list of origins such as https://chat.example.org', (entry) => entry)),
    default: null,
    doc: 'Origin of the page where passkeys are used; several with commas between them.',
  },

  'media.url': {
    env: 'VOX_MEDIA_URL',
    key: 'media_url',
    kind: optional(mediaUrl),
    default: null,
    unset: 'quic://127.0.0.1:<port of VOX_MEDIA_BIND>',
    doc: 'Public address of voice and video, which clients are told; best a host with an IPv4 address only.',
  },
  'media.bind': {
    env: 'VOX_MEDIA_BIND',
    kind: socketAddress,
    default: '0.0.0.0:4443',
    doc: 'UDP address and port of voice and video. Clients reach it directly, not through the reverse proxy.',
  },
  'media.tls_cert': {
    env: 'VOX_MEDIA_TLS_CERT',
    key: 'media_tls_cert',
    kind: optional(nonEmptyText),
    default: null,
    unset: 'a self-signed certificate, which clients pin',
    doc: 'PEM file with the certificate for voice and video.',
  },
  'media.tls_key': {
    env: 'VOX_MEDIA_TLS_KEY',
    key: 'media_tls_key',
    kind: optional(nonEmptyText),
    default: null,
    doc: 'PEM file with the key of that certificate.',
  },
  'media.allowed_file_mimes': {
    env: 'VOX_MEDIA_ALLOWED_FILE_MIMES',
    key: 'allowed_file_mimes',
    kind: mimeList,
    default: '*/*',
    doc: 'Media types that may be uploaded; empty allows everything.',
  },
  'media.allowed_emoji_mimes': {
    env: 'VOX_MEDIA_ALLOWED_EMOJI_MIMES',
    key: 'allowed_emoji_mimes',
    kind: mimeList,
    default: 'image/png,image/gif,image/webp',
    doc: 'Media types of custom emoji.',
  },
  'media.allowed_sticker_mimes': {
    env: 'VOX_MEDIA_ALLOWED_STICKER_MIMES',
    key: 'allowed_sticker_mimes',
    kind: mimeList,
    default: 'image/png,image/gif,image/webp,image/apng',
    doc: 'Media types of stickers.',
  },
  'media.token_ttl': {
    env: 'VOX_MEDIA_TOKEN_TTL',
    key: 'media_token_ttl',
    kind: integer(120, 86_400),
    default: '3600',
    doc: 'Life of a media token, seconds.',
  },
  'media.webtransport': {
    env: 'VOX_MEDIA_WEBTRANSPORT',
    key: 'media_webtransport',
    kind: boolean,
    default: 'true',
    doc: 'Whether browsers may take part in voice and video.',
  },
  'media.webtransport_bind': {
    env: 'VOX_MEDIA_WEBTRANSPORT_BIND',
    kind: optional(socketAddress),
    default: null,
    unset: 'the socket of VOX_MEDIA_BIND',
    doc: 'UDP address and port for browsers.',
  },
  'media.webtransport_url': {
    env: 'VOX_MEDIA_WEBTRANSPORT_URL',
    key: 'media_webtransport_url',
    kind: optional(url('https')),
    default: null,
    unset: 'https://<host of the media URL>:<port>/media',
    doc: 'Public URL of voice and video for browsers.',
  },
  'media.max_uplink_kbps': {
    env: 'VOX_MEDIA_MAX_UPLINK_KBPS',
    key: 'media_max_uplink_kbps',
    kind: integer(1),
    default: '8000',
    doc: 'Most that is accepted from one media connection, kbit/s.',
  },
  'media.max_downlink_kbps': {
    env: 'VOX_MEDIA_MAX_DOWNLINK_KBPS',
    key: 'media_max_downlink_kbps',
    kind: integer(1),
    default: '20000',
    doc: 'Most that is sent to one media connection, kbit/s.',
  },

  'gifs.provider': {
    env: 'VOX_GIFS_PROVIDER',
    key: 'gifs_provider',
    kind: text,
    default: 'klipy',
    doc: 'GIF provider; klipy is the one there is.',
  },
  'gifs.api_key': {
    env: 'VOX_GIFS_API_KEY',
    key: 'gifs_api_key',
    kind: optional(text),
    default: null,
    unset: 'no GIF search',
    secret: true,
    doc: 'Key that the provider gave you.',
  },
  'gifs.content_filter': {
    env: 'VOX_GIFS_CONTENT_FILTER',
    key: 'gifs_content_filter',
    kind: choice('off', 'low', 'medium', 'high'),
    default: 'high',
    doc: 'How strictly results are filtered.',
  },
  'gifs.locale': {
    env: 'VOX_GIFS_LOCALE',
    key: 'gifs_locale',
    kind: optional(text),
    default: null,
    doc: 'Language and region of searches, for example en_US.',
  },

  'federation.domain': {
    env: 'VOX_FEDERATION_DOMAIN',
    key: 'federation_domain',
    kind: optional(domain),
    default: null,
    unset: 'no federation',
    fallback: null,
    doc: 'Domain of this server among others, the part after the @ of its users.',
  },
  'federation.policy': {
    env: 'VOX_FEDERATION_POLICY',
    key: 'federation_policy',
    kind: federationPolicy,
    default: 'open',
    fallback: 'closed',
    doc: 'Which servers may exchange messages with this one.',
  },
  'federation.private_key': {
    env: 'VOX_FEDERATION_PRIVATE_KEY',
    key: 'federation_private_key',
    kind: optional(nonEmptyText),
    default: null,
    unset: 'generated on first use',
    secret: true,
    doc: 'Signing key, base64 of 32 bytes, or a file that holds it.',
  },
  'federation.public_key': {
    env: 'VOX_FEDERATION_PUBLIC_KEY',
    key: 'federation_public_key',
    kind: optional(nonEmptyText),
    default: null,
    unset: 'derived from the private key',
    doc: 'Public half of the signing key, base64 of 32 bytes, or a file that holds it.',
  },
  'federation.dns_blocklists': {
    env: 'VOX_FEDERATION_DNS_BLOCKLISTS',
    key: 'federation_dns_blocklists',
    kind: domainList,
    default: '',
    doc: 'DNS block list zones that peers are looked up in.',
  },
  'federation.require_sig2': {
    env: 'VOX_FEDERATION_REQUIRE_SIG2',
    key: 'federation_require_sig2',
    kind: boolean,
    default: 'false',
    doc: 'Refuse peers that send only the older signature.',
  },
  'federation.require_invite': {
    env: 'VOX_FEDERATION_REQUIRE_INVITE',
    key: 'federation_require_invite',
    kind: boolean,
    default: 'false',
    doc: 'Refuse users of other servers who join without an invite code.',
  },
  'federation.queue_ttl_hours': {
    env: 'VOX_FEDERATION_QUEUE_TTL_HOURS',
    key: 'federation_queue_ttl_hours',
    kind: integer(1),
    default: '168',
    doc: 'How long an undelivered item is tried again, hours.',
  },
  'federation.queue_max_per_peer': {
    env: 'VOX_FEDERATION_QUEUE_MAX_PER_PEER',
    key: 'federation_queue_max_per_peer',
    kind: integer(1),
    default: '10000',
    doc: 'Undelivered items kept for one peer.',
  },
  'federation.allow_private_peers': {
    env: 'VOX_FEDERATION_ALLOW_PRIVATE_PEERS',
    key: 'federation_allow_private_peers',
    kind: boolean,
    default: 'false',
    doc: 'Connect to peers at private addresses too (labs, LANs).',
  },
  'federation.static_peers': {
    env: 'VOX_FEDERATION_STATIC_PEERS',
    key: 'federation_static_peers',
    kind: staticPeers,
    default: '',
    doc: 'Peers that are not looked up in the DNS (tests, closed networks).',
  },

  'log.format': {
    env: 'VOX_LOG_FORMAT',
    kind: optional(text),
    default: null,
    unset: 'json; plain text when standard error is a terminal',
    doc: 'json writes one object per line; any other word, such as text, writes plain text.',
  },
} as const satisfies Record<string, Setting>

type LimitSettings = { readonly [N in LimitName as `limits.${N}`]: Setting<number> & { key: string; default: string } }

const limitSettings = Object.fromEntries(
  Object.entries(LIMITS).map(([name, { default: value, min, max, doc }]): [string, Setting<number>] => [
    `limits.${name}`,
    {
      env: `VOX_LIMIT_${name.toUpperCase()}`,
      key: `limit_${name}`,
      kind: integer(min, max),
      default: String(value),
      doc: sentence(doc),
    },
  ]),
) as LimitSettings

type RateLimitSettings = {
  readonly [C in RateCategory as `ratelimit.${C}`]: Setting<RateLimit> & { default: string; key?: never }
}

const rateLimitSettings = Object.fromEntries(
  Object.entries(RATE_LIMITS).map(([category, { burst, refill }]): [string, Setting<RateLimit>] => [
    `ratelimit.${category}`,
    {
      env: `VOX_RATELIMIT_${category.toUpperCase()}`,
      kind: rateLimit,
      default: `${burst}:${refill}`,
      doc: `Requests of the category ${category}, per user or address.`,
    },
  ]),
) as RateLimitSettings

function sentence(phrase: string): string {
  return `${phrase.charAt(0).toUpperCase()}${phrase.slice(1)}.`
}

export const SETTINGS = {
  ...DECLARED,
  ...limitSettings,
  'ratelimit.enabled': {
    env: 'VOX_RATELIMIT_ENABLED',
    kind: boolean,
    default: 'true',
    doc: 'Whether requests are limited at all; false is for tests.',
  },
  ...rateLimitSettings,
} as const

type Table = typeof SETTINGS

/** Dotted name of a setting, for example `server.name`. */
export type SettingName = keyof Table

/** Names of the settings that have a database row. */
export type StoredName = {
  [N in SettingName]: Table[N] extends { key: string } ? N : never
}[SettingName]

type ValueOf<S> = S extends { kind: Kind<infer T>; default: infer D } ? T | (null extends D ? null : never) : never

/** The value of every setting. */
export type Settings = { readonly [N in SettingName]: ValueOf<Table[N]> }

/** The table as pairs, where the types of the single values do not matter. */
export const ALL_SETTINGS = Object.entries(SETTINGS) as readonly (readonly [SettingName, Setting])[]

/** Headings of the sections, in the order of the reference. */
export const SECTIONS: Readonly<Record<string, string>> = {
  server: 'The community',
  network: 'Network',
  database: 'Database',
  storage: 'Uploaded files',
  auth: 'Accounts',
  webauthn: 'Passkeys',
  media: 'Voice, video and media types',
  gifs: 'GIF search',
  federation: 'Federation',
  log: 'Log',
  limits: 'Limits',
  ratelimit: 'Rate limits',
}
