import {
  acceptFriend,
  askFriend,
  blockUser,
  type DmSettings,
  getDmSettings,
  listBlocks,
  listFriends,
  rejectFriend,
  removeFriend,
  unblockUser,
  updateDmSettings,
} from '@vox/protocol/endpoints'
import type { Caller } from '../../http/authenticate.ts'
import type { Mount } from '../../http/pipeline.ts'
import { pageOf } from '../../pages.ts'
import type { Services } from '../../services.ts'
import { demandAccount } from '../users/accounts.ts'
import { Blocking } from './blocks.ts'
import { Friends } from './friends.ts'

/** A call that acts on somebody's own list, by themselves or by an administrator. */
interface OwnersCall {
  params: { user_id: number }
  caller: Caller
}

/** What users are to one another: friends, blocked, allowed to write. */
export function relations(services: Services, on: Mount): void {
  const { db, community, work } = services
  const friends = new Friends(services)
  const blocking = new Blocking(services, friends)

  /** The owner of the list; the callers themselves surely exist. */
  const owner = async ({ params: { user_id }, caller }: OwnersCall): Promise<number> => {
    if (user_id !== caller.userId) await demandAccount(db.read, user_id)
    return user_id
  }

  on(listFriends, async (call) => pageOf(await friends.list(await owner(call), call.query), ({ user_id }) => user_id))
  on(askFriend, async (call) => friends.ask(await owner(call), call.params.target_id))
  on(acceptFriend, async (call) => friends.accept(await owner(call), call.params.target_id))
  on(rejectFriend, async (call) => friends.reject(await owner(call), call.params.target_id))
  on(removeFriend, async (call) => friends.remove(await owner(call), call.params.target_id))

  on(listBlocks, async (call) => ({
    blocked_user_ids: [...community.blocks.blockedBy(await owner(call))].sort((a, b) => a - b),
  }))
  on(blockUser, async (call) => blocking.block(await owner(call), call.params.target_id))
  on(unblockUser, async (call) => blocking.unblock(await owner(call), call.params.target_id))

  on(getDmSettings, async (call): Promise<DmSettings> => {
    const stored = await db.read
      .selectFrom('dm_settings')
      .select('dm_permission')
      .where('user_id', '=', await owner(call))
      .executeTakeFirst()
    return stored ?? { dm_permission: 'everyone' }
  })
  on(updateDmSettings, async (call) => {
    const user_id = await owner(call)
    const { dm_permission } = call.body
    await work.run((job) =>
      job.db
        .insertInto('dm_settings')
        .values({ user_id, dm_permission })
        .onConflict((row) => row.column('user_id').doUpdateSet({ dm_permission }))
        .execute(),
    )
    return { dm_permission }
  })
}
