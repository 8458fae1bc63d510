/** Every event the gateway sends (spec 06, section 13); one file per group of sections. */
import type { GatewayEvent } from './event.ts'
import * as bots from './events/bots.ts'
import * as dms from './events/dms.ts'
import * as keys from './events/keys.ts'
import * as messages from './events/messages.ts'
import * as people from './events/people.ts'
import * as roles from './events/roles.ts'
import * as server from './events/server.ts'
import * as session from './events/session.ts'
import * as spaces from './events/spaces.ts'
import * as voice from './events/voice.ts'

export { type DataOf, type GatewayEvent, MAX_SERVER_MESSAGE, type SyncCategory } from './event.ts'
export * from './events/bots.ts'
export * from './events/dms.ts'
export * from './events/keys.ts'
export * from './events/messages.ts'
export * from './events/people.ts'
export * from './events/roles.ts'
export * from './events/server.ts'
export * from './events/session.ts'
export * from './events/spaces.ts'
export * from './events/voice.ts'

/** All events, for whoever looks them up by type or checks what is really sent. */
export const GATEWAY_EVENTS: readonly GatewayEvent[] = [
  session,
  messages,
  people,
  spaces,
  roles,
  server,
  dms,
  keys,
  voice,
  bots,
].flatMap((section) => Object.values(section))
