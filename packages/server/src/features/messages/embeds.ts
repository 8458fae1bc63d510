import { type Embed, holds, Permission } from '@vox/protocol'
import type { SendMessage } from '@vox/protocol/endpoints'
import { demandPermission } from '../../http/pipeline.ts'
import { saysNothing } from './content.ts'

/** The embeds given with a message, in either field (spec 04, section 1.3). */
export function givenEmbeds({ embed = [], embeds = [] }: SendMessage): readonly Embed[] {
  return embed.length > 0 ? embed : embeds
}

/** Those that the author may show: without the permission none, and then something else must be left (steps 9, 10). */
export function acceptedEmbeds(message: SendMessage, held: bigint): readonly Embed[] {
  const given = givenEmbeds(message)
  if (given.length === 0 || holds(held, Permission.SEND_EMBEDS)) return given
  if (saysNothing(message)) demandPermission(held, Permission.SEND_EMBEDS)
  return []
}
