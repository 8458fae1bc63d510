import { getPresence, getUser, updateUser } from '@vox/protocol/endpoints'
import type { Mount } from '../../http/pipeline.ts'
import type { Services } from '../../services.ts'
import { demandAccount } from './accounts.ts'
import { Profiles } from './profiles.ts'

/** Profiles, and the presence of single users. */
export function users(services: Services, on: Mount): void {
  const { db, gateway } = services
  const profiles = new Profiles(services)

  on(getUser, ({ params }) => profiles.read(params.user_id))
  on(updateUser, ({ params, body, caller }) => profiles.update(caller.userId, params.user_id, body))
  on(getPresence, async ({ params: { user_id }, caller }) => {
    await demandAccount(db.read, user_id)
    const { status, custom_status = null, activity = null } = gateway.presenceOf(user_id, caller.userId)
    return { user_id, status, custom_status, activity }
  })
}
