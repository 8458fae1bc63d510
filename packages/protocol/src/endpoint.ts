import { ERRORS, type ErrorCode } from './errors.ts'
import type { PermissionName } from './permissions.ts'
import { Fields, FilePart, type Static, type TObject, type TSchema } from './schema.ts'

/** HTTP methods the API uses. */
export type Method = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'

/**
 * Who may call an endpoint (spec 01, section 3.3): anybody; an active account; an active account or one that has
 * left or was kicked; the holder of a right that the endpoint checks itself.
 */
export type Auth = 'none' | 'session' | 'session-or-former'

/** An error an endpoint may answer, with its status where that is not the code's usual one. */
export type EndpointError = ErrorCode | readonly [ErrorCode, number]

/** The permission that the pipeline demands before it reads the body (spec 01, section 2.3, step 5). */
export interface RequiredPermission {
  permission: PermissionName
  /** Suffices as well. */
  or?: PermissionName
  /**
   * Resolve it, with overrides, in the space that the path names by `feed_id` or `room_id`, or in the feed of the thread
   * that it names by `thread_id`.
   */
  in?: 'feed' | 'room' | 'thread'
  /** Resolve it as for a space that does not exist if the caller cannot see the space (spec 03, head). */
  concealing?: boolean
  /** Not needed when the path's `user_id` is the caller. */
  unlessSelf?: boolean
  /** Not needed by the owner of the bot that is the path's `user_id`. */
  unlessOwner?: boolean
  /** Needed in its place when the path's `user_id` is the caller. */
  ofSelf?: PermissionName
}

/** What an endpoint needs beyond its defaults. */
interface EndpointOptions<
  P extends TObject,
  Q extends TObject,
  B extends TObject,
  R extends TSchema | null,
  A extends Auth,
> {
  method: Method
  /** Path below `/api/v1`, with `:name` segments. */
  path: string
  /** One line for the API reference. */
  summary: string
  auth: A
  requires?: RequiredPermission
  /**
   * Only for those who take part in the conversation that the path names by `dm_id`. Anybody else gets
   * `NOT_DM_PARTICIPANT`, whether there is such a conversation or not.
   */
  forParticipants?: boolean
  /**
   * Only with the token of the webhook that the path names by `webhook_id`, which is the path's `token`. An
   * `Authorization` header does not matter (spec 04, section 10.6).
   */
  forWebhook?: boolean
  /** Refuses guests, who are users of other servers, with `FORBIDDEN` (spec 08, section 8). */
  refusesGuests?: boolean
  params?: P
  query?: Q
  body?: B
  /** An empty body counts as `{}`. */
  emptyBody?: boolean
  /** The one success status, with the schema of its body or null for none. */
  reply: Readonly<Record<number, R>>
  /** Errors of its own; those every endpoint can give need not be listed. */
  errors?: readonly EndpointError[]
  /** The answer carries a secret and must not be cached. */
  noStore?: boolean
  /** The answer is the bytes of a file, also to `HEAD`; the reply is for callers who accept nothing but JSON. */
  download?: boolean
}

/** An endpoint as the server mounts it, the client calls it and the reference shows it. */
export interface Endpoint<
  P extends TObject = TObject,
  Q extends TObject = TObject,
  B extends TObject = TObject,
  R extends TSchema | null = TSchema | null,
  A extends Auth = Auth,
> {
  readonly method: Method
  readonly path: string
  readonly summary: string
  readonly auth: A
  readonly requires: RequiredPermission | undefined
  readonly forParticipants: boolean
  readonly forWebhook: boolean
  readonly refusesGuests: boolean
  readonly params: P
  readonly query: Q
  /** Undefined when the endpoint takes none; a body that comes all the same is ignored. */
  readonly body: B | undefined
  /** Name of the file in the body, which is a form then; undefined when the body is JSON. */
  readonly filePart: string | undefined
  readonly emptyBody: boolean
  readonly status: number
  readonly reply: R
  readonly errors: readonly EndpointError[]
  readonly noStore: boolean
  readonly download: boolean
}

/** What the server answers with: the reply's value, or nothing for a 204. */
export type ReplyOf<E extends Endpoint> = E['reply'] extends TSchema ? Static<E['reply']> : void

const NONE = Fields({})

/**
 * Declares an endpoint. `errors` are checked against the catalogue, so a status that a code never has cannot be
 * declared.
 */
export function endpoint<
  P extends TObject = typeof NONE,
  Q extends TObject = typeof NONE,
  B extends TObject = never,
  R extends TSchema | null = TSchema | null,
  const A extends Auth = Auth,
>(options: EndpointOptions<P, Q, B, R, A>): Endpoint<P, Q, B, R, A> {
  const [success, ...others] = Object.entries(options.reply)
  if (!success || others.length > 0) throw new TypeError(`${options.path} needs exactly one success status`)
  for (const error of options.errors ?? []) errorStatus(error)
  return {
    method: options.method,
    path: options.path,
    summary: options.summary,
    auth: options.auth,
    requires: options.requires,
    forParticipants: options.forParticipants ?? false,
    forWebhook: options.forWebhook ?? false,
    refusesGuests: options.refusesGuests ?? false,
    params: options.params ?? (NONE as unknown as P),
    query: options.query ?? (NONE as unknown as Q),
    body: options.body,
    filePart: options.body && filePartOf(options.body),
    emptyBody: options.emptyBody ?? false,
    status: Number(success[0]),
    reply: success[1],
    errors: options.errors ?? [],
    noStore: options.noStore ?? false,
    download: options.download ?? false,
  }
}

function filePartOf(body: TObject): string | undefined {
  return Object.entries(body.properties).find(([, schema]) => schema === FilePart)?.[0]
}

/** Code and status of a declared error. */
export function errorStatus(error: EndpointError): { code: ErrorCode; status: number } {
  const [code, status] = typeof error === 'string' ? [error, ERRORS[error].status] : error
  const kind: { status: number; also?: readonly number[] } = ERRORS[code]
  if (status !== kind.status && !kind.also?.includes(status))
    throw new TypeError(`${code} is never answered with status ${status}`)
  return { code, status }
}
