import type { IncomingMessage } from 'node:http'
import type { Limits } from '@vox/protocol'
import type { Clock } from '../clock.ts'
import type { Community } from '../community/community.ts'
import type { EventBus } from '../events/bus.ts'
import type { VoiceRooms } from './voice.ts'

/** Whose token it is. */
export interface Identity {
  userId: number
  /** The auth session behind the token; when it ends, so do the gateway sessions that were opened with it. */
  authSessionId: number
  /** Unix milliseconds. */
  expiresAt: number
  /** The display name, or the username when there is none. */
  displayName: string
  isBot: boolean
}

/**
 * Why a token opens nothing: `unknown` (wrong, expired or of a kind that does not authenticate requests) counts towards
 * the limit of failures, `inactive` (genuine, but of an account that is no active member) does not.
 */
export type AuthFailure = 'unknown' | 'inactive'

/** Constants that tests shorten. */
export interface Timings {
  /** How often clients send a heartbeat; they have one and a half times as long before they are given up. */
  heartbeatInterval: number
  /** How long a socket may wait before its `identify` or `resume`. */
  identifyTimeout: number
  /** How long presences and typing may wait for others to leave with. */
  patience: number
  /** How long the other side has to answer a close frame before its TCP connection is dropped. */
  closeTimeout: number
}

export const DEFAULT_TIMINGS: Timings = {
  heartbeatInterval: 45_000,
  identifyTimeout: 30_000,
  patience: 200,
  closeTimeout: 5_000,
}

/** Where the gateway writes what only operators see. */
export interface GatewayLog {
  debug(details: object, message: string): void
  error(details: object, message: string): void
}

/** What the gateway needs of the rest of the server. */
export interface GatewayContext {
  community: Community
  bus: EventBus
  clock: Clock
  log: GatewayLog
  /** The values in force; asked for each event and session, so it must not compute anything. */
  limits(): Limits
  /** Looks a token up, fresh enough to know of every session that has ended. */
  authenticate(token: string): Promise<Identity | AuthFailure>
  /** The auth session is in use: slides its expiry and says when it ends now; undefined when it has ended. */
  use(authSessionId: number): Promise<number | undefined>
  serverInfo(): { name: string; icon: string | undefined }
  /** Who takes part in a conversation; nobody if there is none. */
  participantsOf(dmId: number): Promise<readonly number[]>
  /** Address of the client behind trusted proxies; undefined when it cannot be known. */
  clientAddress(request: IncomingMessage): string | undefined
  /** Nobody is in a room if there are none. */
  voiceRooms?: VoiceRooms
  timings?: Timings
}
