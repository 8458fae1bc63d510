import { endpoint } from '../endpoint.ts'
import {
  accepting,
  Dictionary,
  Fields,
  Flag,
  Integer,
  JsonObject,
  List,
  Maybe,
  Nullable,
  OneOf,
  refine,
  type Static,
  Text,
} from '../schema.ts'
import { CategoryObject } from './categories.ts'
import { nameProblem } from './common.ts'
import { FeedObject } from './feeds.ts'
import { RoomObject } from './rooms.ts'

/** What the server says of itself (spec 03, section 1). */
export const ServerObject = Fields({
  name: Text(),
  icon: Nullable(Text()),
  description: Nullable(Text()),
  member_count: Integer(0),
})
/** What the server says of itself. */
export type ServerObject = Static<typeof ServerObject>

/** Name, icon, description and number of members (spec 03, section 1). */
export const getServer = endpoint({
  method: 'GET',
  path: '/server',
  summary: 'Name, icon, description and number of members',
  auth: 'session',
  reply: { 200: ServerObject },
})

/** What may be changed of it; empty texts clear icon and description (spec 03, section 1). */
export const ServerPatch = Fields({
  name: Maybe(refine(Text({ max: 'server_name_max' }), nameProblem)),
  icon: Maybe(Text({ max: 'server_icon_max' })),
  description: Maybe(Text({ max: 'server_description_max' })),
})
/** What may be changed of it. */
export type ServerPatch = Static<typeof ServerPatch>

/** Changes name, icon and description (spec 03, section 1). */
export const updateServer = endpoint({
  method: 'PATCH',
  path: '/server',
  summary: 'Change name, icon and description',
  auth: 'session',
  requires: { permission: 'MANAGE_SERVER' },
  body: ServerPatch,
  reply: { 200: ServerObject },
  errors: ['MISSING_PERMISSIONS'],
})

/** Every limit by its name (spec 03, section 1). */
const LimitsObject = Dictionary(Integer())

/** The limits in force (spec 03, section 1). */
export const getLimits = endpoint({
  method: 'GET',
  path: '/server/limits',
  summary: 'The limits in force',
  auth: 'session',
  requires: { permission: 'MANAGE_SERVER' },
  reply: { 200: LimitsObject },
  errors: ['MISSING_PERMISSIONS'],
})

/** Any integer on the wire; whether it may be the value of a limit is for the limit to say. */
const LimitValue = Integer(-(2 ** 63), 2 ** 63)

/** Changes limits, all of the given ones or none (spec 03, section 1). The names may also stand at top level. */
export const updateLimits = endpoint({
  method: 'PATCH',
  path: '/server/limits',
  summary: 'Change limits',
  auth: 'session',
  requires: { permission: 'MANAGE_SERVER' },
  body: accepting(Fields({ limits: Dictionary(LimitValue) }), (raw) =>
    typeof raw === 'object' && raw !== null && !('limits' in raw) ? { limits: raw } : raw,
  ),
  reply: { 200: LimitsObject },
  errors: ['MISSING_PERMISSIONS', 'INVALID_LIMIT'],
})

/** How GIFs are searched (spec 03, section 1); the key itself is never shown. */
export const GifSettings = Fields({
  provider: Text(),
  api_key_set: Flag,
  content_filter: Text(),
  locale: Nullable(Text()),
})
/** How GIFs are searched. */
export type GifSettings = Static<typeof GifSettings>

/** How GIFs are searched (spec 03, section 1). */
export const getGifSettings = endpoint({
  method: 'GET',
  path: '/server/gifs',
  summary: 'How GIFs are searched',
  auth: 'session',
  requires: { permission: 'MANAGE_SERVER' },
  reply: { 200: GifSettings },
  errors: ['MISSING_PERMISSIONS'],
})

/** Changes how GIFs are searched; an empty key or locale clears it (spec 03, section 1). */
export const updateGifSettings = endpoint({
  method: 'PATCH',
  path: '/server/gifs',
  summary: 'Change how GIFs are searched',
  auth: 'session',
  requires: { permission: 'MANAGE_SERVER' },
  body: Fields({
    provider: Maybe(Text({ max: 32 })),
    api_key: Maybe(Text({ max: 512 })),
    content_filter: Maybe(OneOf('off', 'low', 'medium', 'high')),
    locale: Maybe(Text({ max: 32 })),
  }),
  reply: { 200: GifSettings },
  errors: ['MISSING_PERMISSIONS'],
})

/** Every setting in force by dotted name, without secrets, and which of them the environment fixes. */
const ConfigObject = Fields({ config: JsonObject, from_environment: List(Text()) })

/** The configuration in force (spec 01, section 10.6). */
export const getConfig = endpoint({
  method: 'GET',
  path: '/admin/config',
  summary: 'The configuration in force',
  auth: 'session',
  requires: { permission: 'ADMINISTRATOR' },
  reply: { 200: ConfigObject },
  errors: ['MISSING_PERMISSIONS'],
})

/** The text of a setting, which may also be given as the number or truth value that it means. */
const SettingText = accepting(Nullable(Text()), (raw) =>
  raw === null || raw === undefined || typeof raw === 'object' ? raw : String(raw),
)

/** Sets one setting in the database; null goes back to the default (spec 01, section 10.6). */
export const putConfig = endpoint({
  method: 'PUT',
  path: '/admin/config',
  summary: 'Change a setting',
  auth: 'session',
  requires: { permission: 'ADMINISTRATOR' },
  body: Fields({ key: Text(), value: SettingText }),
  reply: { 200: ConfigObject },
  errors: ['MISSING_PERMISSIONS', 'INVALID_LIMIT'],
})

/** Every category, and the feeds and rooms the caller sees, each list in order (spec 03, section 1). */
export const getLayout = endpoint({
  method: 'GET',
  path: '/server/layout',
  summary: 'Categories, feeds and rooms: the picture a client starts with',
  auth: 'session',
  reply: {
    200: Fields({ categories: List(CategoryObject), feeds: List(FeedObject), rooms: List(RoomObject) }),
  },
})

/** Where the gateway and the media endpoint are (spec 06, section 1). */
export const getGateway = endpoint({
  method: 'GET',
  path: '/gateway',
  summary: 'Where the gateway is and which protocol versions it speaks',
  auth: 'none',
  reply: {
    200: Fields({
      url: Text(),
      media_url: Text(),
      protocol_version: Integer(),
      min_version: Integer(),
      max_version: Integer(),
    }),
  },
})
