import { respondToInteraction, useComponent } from '@vox/protocol/endpoints'
import type { Mount } from '../../http/pipeline.ts'
import type { Services } from '../../services.ts'
import { invocationBy } from './components.ts'

/** Slash commands and components: what users want of bots, and what these answer. */
export function interactions(services: Services, on: Mount): void {
  on(respondToInteraction, ({ caller, params, body }) =>
    services.interactions.answer(caller.userId, params.interaction_id, body),
  )

  on(useComponent, async ({ caller, body }) => {
    await services.interactions.begin(await invocationBy(services, caller.userId, body))
  })
}
