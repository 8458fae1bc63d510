import {
  accepting,
  Fields,
  Id,
  Int64,
  Integer,
  List,
  Maybe,
  Nullable,
  OneOf,
  refine,
  Snowflake,
  type Static,
  Text,
  type TProperties,
  type TSchema,
} from '../schema.ts'

const INVISIBLE = /^[\p{White_Space}\p{C}\p{Default_Ignorable_Code_Point}]*$/u
const CONTROL = /\p{Cc}/u

/** What is wrong with a name of a server, role, space, emoji or sticker (spec 03, head), if anything. */
export function nameProblem(name: string): string | undefined {
  if (CONTROL.test(name)) return 'must not contain control characters'
  if (INVISIBLE.test(name)) return 'must contain a visible character'
  return undefined
}

/** Name of a feed, room, category or thread. */
export const ChannelName = refine(Text({ min: 'channel_name_min', max: 'channel_name_max' }), nameProblem)

/** Path segment of a feed. */
export const FeedParams = Fields({ feed_id: Id })

/** Path segments of a message in a feed. */
export const FeedMessageParams = Fields({ feed_id: Id, msg_id: Snowflake })

/** Path segment of a conversation. */
export const DmParams = Fields({ dm_id: Id })

/** Path segments of a message in a conversation. */
export const DmMessageParams = Fields({ dm_id: Id, msg_id: Snowflake })

/** `member` is an older word for `user`. */
export const withoutMember = (targetType: unknown): unknown => (targetType === 'member' ? 'user' : targetType)

/** A permission override as it stands in feed and room objects (spec 03, section 10). */
export const OverrideObject = Fields({
  target_type: accepting(OneOf('role', 'user'), withoutMember),
  target_id: Id,
  allow: Int64,
  deny: Int64,
})
/** A permission override. */
export type OverrideObject = Static<typeof OverrideObject>

/** Overrides a creation request may carry (spec 03, section 20). */
const MAX_OVERRIDES_ON_CREATION = 100

/** Overrides given with a new space: no target twice. */
export const InitialOverrides = refine(List(OverrideObject, { max: MAX_OVERRIDES_ON_CREATION }), (overrides) => {
  const targets = new Set(overrides.map(({ target_type, target_id }) => `${target_type} ${target_id}`))
  return targets.size < overrides.length ? 'names a target twice' : undefined
})

/** An unpaged list (`{"items": […]}`). */
export const Items = <T extends TSchema>(item: T) => Fields({ items: List(item) })

/** How many items are wanted; the configured size of a page bounds the number silently. */
export const PageLimit = Maybe(Integer(1, 1000))

/**
 * Which page of a list: at most `limit` items after the key `after`, which existing clients also call `cursor`
 * (spec 01, section 7.2); with the filters of the list, if it has any.
 */
export const PageQuery = <K extends TSchema, F extends TProperties = Record<never, never>>(key: K, filters = {} as F) =>
  accepting(Fields({ limit: PageLimit, after: Maybe(key), ...filters }), (query) => renamed(query, 'cursor', 'after'))

/** The same input with a field under its main name; one that is there already wins. */
export function renamed(input: unknown, from: string, to: string): unknown {
  if (typeof input !== 'object' || input === null || !(from in input)) return input
  const { [from]: value, ...others } = input as Record<string, unknown>
  return { [to]: value, ...others }
}

/** A page of a list; `cursor` is the key of its last item as text, null on an empty page (spec 01, section 7.2). */
export const Page = <T extends TSchema>(item: T) => Fields({ items: List(item), cursor: Nullable(Text()) })

/** What a path answers that names a bot by the user id of its account (spec 04, section 11.2). */
export const BOT_TARGET_ERRORS = ['INVALID_USER_ID', 'MISSING_PERMISSIONS', 'USER_NOT_FOUND', 'FORBIDDEN'] as const
