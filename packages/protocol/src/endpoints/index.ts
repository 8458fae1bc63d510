import type { Endpoint } from '../endpoint.ts'
import * as auditLog from './audit-log.ts'
import * as auth from './auth.ts'
import * as bans from './bans.ts'
import * as bots from './bots.ts'
import * as categories from './categories.ts'
import * as commands from './commands.ts'
import * as devices from './devices.ts'
import * as dmMessages from './dm-messages.ts'
import * as dms from './dms.ts'
import * as embeds from './embeds.ts'
import * as emoji from './emoji.ts'
import * as feeds from './feeds.ts'
import * as files from './files.ts'
import * as gifs from './gifs.ts'
import * as interactions from './interactions.ts'
import * as invites from './invites.ts'
import * as keys from './keys.ts'
import * as logins from './logins.ts'
import * as members from './members.ts'
import * as messages from './messages.ts'
import * as overrides from './overrides.ts'
import * as pins from './pins.ts'
import * as reactions from './reactions.ts'
import * as relations from './relations.ts'
import * as relays from './relays.ts'
import * as reports from './reports.ts'
import * as roles from './roles.ts'
import * as rooms from './rooms.ts'
import * as search from './search.ts'
import * as secondFactor from './second-factor.ts'
import * as server from './server.ts'
import * as sync from './sync.ts'
import * as threads from './threads.ts'
import * as users from './users.ts'
import * as webhooks from './webhooks.ts'

export * from './audit-log.ts'
export * from './auth.ts'
export * from './bans.ts'
export * from './bots.ts'
export * from './categories.ts'
export * from './commands.ts'
export * from './common.ts'
export * from './devices.ts'
export * from './dm-messages.ts'
export * from './dms.ts'
export * from './embeds.ts'
export * from './emoji.ts'
export * from './feeds.ts'
export * from './files.ts'
export * from './gifs.ts'
export * from './interactions.ts'
export * from './invites.ts'
export * from './keys.ts'
export * from './logins.ts'
export * from './members.ts'
export * from './messages.ts'
export * from './overrides.ts'
export * from './pins.ts'
export * from './reactions.ts'
export * from './relations.ts'
export * from './relays.ts'
export * from './reports.ts'
export * from './roles.ts'
export * from './rooms.ts'
export * from './search.ts'
export * from './second-factor.ts'
export * from './server.ts'
export * from './sync.ts'
export * from './threads.ts'
export * from './users.ts'
export * from './webauthn.ts'
export * from './webhooks.ts'

/** Every declared endpoint by its name, section by section: what the server mounts and the reference shows. */
export const ENDPOINTS: Readonly<Record<string, Readonly<Record<string, Endpoint>>>> = {
  auth: endpointsOf(auth),
  logins: endpointsOf(logins),
  second_factor: endpointsOf(secondFactor),
  users: endpointsOf(users),
  relations: endpointsOf(relations),
  members: endpointsOf(members),
  invites: endpointsOf(invites),
  server: endpointsOf(server),
  feeds: endpointsOf(feeds),
  rooms: endpointsOf(rooms),
  categories: endpointsOf(categories),
  overrides: endpointsOf(overrides),
  roles: endpointsOf(roles),
  messages: endpointsOf(messages),
  reactions: endpointsOf(reactions),
  pins: endpointsOf(pins),
  search: endpointsOf(search),
  dms: endpointsOf(dms),
  dm_messages: endpointsOf(dmMessages),
  sync: endpointsOf(sync),
  files: endpointsOf(files),
  emoji: endpointsOf(emoji),
  embeds: endpointsOf(embeds),
  gifs: endpointsOf(gifs),
  webhooks: endpointsOf(webhooks),
  threads: endpointsOf(threads),
  devices: endpointsOf(devices),
  keys: endpointsOf(keys),
  relays: endpointsOf(relays),
  bans: endpointsOf(bans),
  reports: endpointsOf(reports),
  audit_log: endpointsOf(auditLog),
  bots: endpointsOf(bots),
  commands: endpointsOf(commands),
  interactions: endpointsOf(interactions),
}

function endpointsOf(module: Readonly<Record<string, unknown>>): Readonly<Record<string, Endpoint>> {
  return Object.fromEntries(
    Object.entries(module).filter((entry): entry is [string, Endpoint] => {
      const value = entry[1]
      return typeof value === 'object' && value !== null && 'path' in value && 'method' in value
    }),
  )
}
