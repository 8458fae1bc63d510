/**
 * How events are declared. Who receives an event is said where it is emitted; what it may contain is said in its
 * declaration: optional keys are left out, never null, unless the schema says `Nullable`.
 */
import { Fields, refine, type Static, type TObject, type TProperties } from '../schema.ts'

/**
 * Longest message the server ever sends, in bytes of JSON: clients drop the connection for good when a longer one comes
 * (spec 06, section 2.4).
 */
export const MAX_SERVER_MESSAGE = 1_048_576

/** Category under which `POST /sync` finds a persisted event (spec 06, section 14). */
export type SyncCategory =
  | 'members'
  | 'bans'
  | 'roles'
  | 'permissions'
  | 'feeds'
  | 'rooms'
  | 'categories'
  | 'threads'
  | 'emoji'
  | 'invites'
  | 'webhooks'
  | 'bots'
  | 'users'
  | 'server'

/** A declared event. */
export interface GatewayEvent<D extends TObject = TObject> {
  readonly type: string
  readonly data: D
  /** Categories of a persisted event; empty when it is not kept for sync. */
  readonly sync: readonly SyncCategory[]
}

/** The `d` of an event. */
export type DataOf<E extends GatewayEvent> = Static<E['data']>

/** Declares an event, with the categories under which sync finds it if it is to be kept. */
export function event<D extends TObject>(type: string, data: D, ...sync: SyncCategory[]): GatewayEvent<D> {
  return { type, data, sync }
}

/** What belongs to a feed or to a DM: exactly one of `feed_id` and `dm_id` is there. */
export function InOnePlace<T extends TProperties>(properties: T): TObject<T> {
  const present = (value: unknown, key: string) => ((value as Record<string, unknown>)[key] ?? undefined) !== undefined
  return refine(Fields(properties), (value) =>
    present(value, 'feed_id') === present(value, 'dm_id') ? 'exactly one of feed_id and dm_id is required' : undefined,
  )
}

/** What an update says: these ids, and at least one of the fields that may change. */
export function Change<I extends TProperties, T extends TProperties>(ids: I, fields: T): TObject<I & T> {
  return refine(Fields({ ...ids, ...fields }) as unknown as TObject<I & T>, (value) =>
    Object.keys(fields).some((name) => (value as Record<string, unknown>)[name] !== undefined)
      ? undefined
      : 'at least one change is required',
  )
}
