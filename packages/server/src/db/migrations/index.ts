import { foundation } from './001-foundation.ts'
import { accounts } from './002-accounts.ts'
import { people } from './003-people.ts'
import { structure } from './004-structure.ts'
import { files } from './005-files.ts'
import { conversation } from './006-conversation.ts'
import { search } from './007-search.ts'
import { content } from './008-content.ts'
import { directMessages } from './009-direct-messages.ts'
import { webhooks } from './010-webhooks.ts'
import { bots } from './011-bots.ts'
import { keys } from './012-keys.ts'
import { relayBacklogs } from './013-relay-backlogs.ts'
import { searches } from './014-searches.ts'
import { deletedFeeds } from './015-deleted-feeds.ts'
import { shownFiles } from './016-shown-files.ts'
import type { Migration } from './migration.ts'

/** The history of the schema, oldest first. The version of a database is how many of them it has seen. */
export const MIGRATIONS: readonly Migration[] = [
  foundation,
  accounts,
  people,
  structure,
  files,
  conversation,
  search,
  content,
  directMessages,
  webhooks,
  bots,
  keys,
  relayBacklogs,
  searches,
  deletedFeeds,
  shownFiles,
]
