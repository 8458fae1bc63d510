import { sync as syncEndpoint } from '@vox/protocol/endpoints'
import type { Mount } from '../../http/pipeline.ts'
import type { Services } from '../../services.ts'
import { ReadPositions } from '../messages/reads.ts'
import { EventHistory } from './history.ts'

const READ_STATES = 'read_states'

/** Catching up after an absence (spec 04, section 12). */
export function sync(services: Services, on: Mount): void {
  const history = new EventHistory(services)
  const reads = new ReadPositions(services)
  on(syncEndpoint, async ({ body, caller: { userId } }) => {
    const events = await history.since(userId, {
      ...body,
      categories: body.categories.filter((category) => category !== READ_STATES),
    })
    const read_states = body.categories.includes(READ_STATES) ? await reads.of(userId) : []
    return { ...events, read_states }
  })
  services.cleanup.add('old events', () => history.forget())
}
