import { resolveEmbed } from '@vox/protocol/endpoints'
import type { Mount } from '../../http/pipeline.ts'
import type { Services } from '../../services.ts'
import { LinkPreviews } from './previews.ts'

/** Previews of links. Nothing is stored, and no link in a message is looked at unasked. */
export function embeds(services: Services, on: Mount): void {
  const previews = new LinkPreviews(services)
  on(resolveEmbed, ({ body, caller }) => previews.resolve(caller.userId, body.url))
}
