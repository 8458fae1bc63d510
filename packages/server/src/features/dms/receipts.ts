import { dmReadNotify } from '@vox/protocol'
import { sql } from 'kysely'
import { prepared } from '../../db/prepared.ts'
import type { Work } from '../../events/work.ts'
import type { Services } from '../../services.ts'
import { demandOwn, idsOf } from './conversation.ts'

/** How far people have read in conversations, which the others are told (spec 05, section 4.2). */
export class ReadReceipts {
  readonly #services: Services

  constructor(services: Services) {
    this.#services = services
  }

  /** Moves the reader's position forward to this message, or to the newest one if that is older. */
  move(user_id: number, dm_id: number, upTo: bigint): Promise<void> {
    const { work, community } = this.#services
    return work.run(async (job) => {
      const dm = await demandOwn(job, dm_id, user_id)
      const [oldest, newest] = [await first(job.db, { dm_id }), await last(job.db, { dm_id })]
      if (!oldest[0] || !newest[0] || oldest[0].msg_id > upTo) return
      const reached = upTo < newest[0].msg_id ? upTo : newest[0].msg_id
      const up_to_msg_id = await advance(job, { dm_id, user_id }, reached)
      const told = dm.is_group ? idsOf(dm) : idsOf(dm).filter((id) => !community.blocks.areApart(user_id, id))
      job.emit(dmReadNotify, { dm_id, user_id, up_to_msg_id }, { to: 'users', users: told })
    })
  }
}

const ends = (direction: 'asc' | 'desc') =>
  prepared((db, p: { dm_id: number }) =>
    db.selectFrom('messages').select('msg_id').where('dm_id', '=', p.dm_id).orderBy('msg_id', direction).limit(1),
  )
const first = ends('asc')
const last = ends('desc')

/** The position from now on: this one, unless the reader had been farther. */
async function advance(job: Work, part: { dm_id: number; user_id: number }, reached: bigint): Promise<bigint> {
  const farther = sql<bigint>`case when read_msg_id > ${reached} then read_msg_id else ${reached} end`
  const { read_msg_id } = await job.db
    .updateTable('dm_participants')
    .set({ read_msg_id: farther })
    .where('dm_id', '=', part.dm_id)
    .where('user_id', '=', part.user_id)
    .returning('read_msg_id')
    .executeTakeFirstOrThrow()
  return read_msg_id ?? reached
}
