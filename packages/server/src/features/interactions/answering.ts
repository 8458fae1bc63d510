import { ApiError, fullEmbed, Permission, shownComponent } from '@vox/protocol'
import type { InteractionResponse } from '@vox/protocol/endpoints'
import type { Core } from '../../core.ts'
import type { Work } from '../../events/work.ts'
import { demandPermission } from '../../http/pipeline.ts'
import { demandExisting, demandUnblocked } from '../dms/conversation.ts'
import { checkBodyLength, isBlank } from '../messages/content.ts'
import { post } from '../messages/posting.ts'
import { existingFeed } from '../spaces/sight.ts'
import { findThread } from '../threads/threads.ts'
import type { Interaction } from './interaction.ts'
import { whisper } from './whisper.ts'

/** Refuses an answer that says nothing or too much; what may be checked before the interaction is used up. */
export function checkResponse({ config }: Core, response: InteractionResponse): void {
  if (saysNothing(response)) throw new ApiError('EMPTY_MESSAGE')
  checkBodyLength(response.body, config.limits)
}

export const saysNothing = ({ body, embeds = [] }: InteractionResponse): boolean => isBlank(body) && embeds.length === 0

/**
 * Posts an answer where the bot was invoked, or shows it to the invoking user alone (spec 04, section 11.6). Having been
 * invoked is the bot's right to post there, but it still has to see the place.
 */
export async function postAnswer(
  job: Work,
  core: Core,
  { botUserId, user_id, place }: Interaction,
  response: InteractionResponse,
): Promise<void> {
  const { ephemeral = false } = response
  const home = await demandPlace(job, core, botUserId, place, ephemeral)
  const said = { author_id: botUserId, body: response.body ?? null }
  const embeds = (response.embeds ?? []).map(fullEmbed)
  const components = (response.components ?? []).map(shownComponent)
  if (!ephemeral) {
    await post(job, core, { ...home, ...said, embeds, components })
    return
  }
  await whisper(job, core.community, user_id, place, {
    ...said,
    ...(embeds[0] && { embed: embeds[0] }),
    ...(embeds.length > 1 && { embeds }),
    ...(components.length > 0 && { components }),
  })
}

async function demandPlace(
  job: Work,
  { community }: Core,
  botUserId: number,
  { feed_id, dm_id, thread_id }: Interaction['place'],
  ephemeral: boolean,
) {
  if (feed_id === null) {
    const dm = await demandExisting(job, dm_id ?? 0, botUserId)
    // Who was kicked keeps their place in conversations.
    if (!community.isMember(botUserId)) throw new ApiError('NOT_DM_PARTICIPANT')
    demandUnblocked(community, dm, botUserId)
    return { dm }
  }
  demandPermission(community.permissionsIn(botUserId, { type: 'feed', id: feed_id }), Permission.VIEW_SPACE)
  const feed = existingFeed(community, feed_id)
  if (thread_id !== null) {
    const thread = await findThread(job.db, thread_id)
    if (!thread) throw new ApiError('SPACE_NOT_FOUND')
    if (thread.locked && !ephemeral) throw new ApiError('THREAD_LOCKED')
  }
  return { feed, thread_id }
}
