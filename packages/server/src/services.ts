import type { Cleanup } from './cleanup.ts'
import type { Core } from './core.ts'
import type { FileLibrary } from './features/files/library.ts'
import type { Interactions } from './features/interactions/interactions.ts'
import type { Gateway } from './gateway/gateway.ts'
import type { Outbound } from './outbound/outbound.ts'
import type { Storage } from './storage/storage.ts'

/** What the composition root gives to every feature. */
export interface Services extends Core {
  gateway: Gateway
  cleanup: Cleanup
  storage: Storage
  files: FileLibrary
  /** Requests to places that users name. */
  outbound: Outbound
  /** Where the GIF provider is. */
  gifOrigin: string
  interactions: Interactions
  /** The port the server really listens on; known once it does. */
  port(): number
}
