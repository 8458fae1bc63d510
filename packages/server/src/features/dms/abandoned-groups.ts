import type { Kysely } from 'kysely'
import type { Schema } from '../../db/schema.ts'
import type { Services } from '../../services.ts'
import { Erasure } from '../messages/erasure.ts'

/** Groups without participants are nobody's: they go with their messages and what was uploaded to them. */
export function eraseAbandonedGroups(services: Services): Erasure {
  return new Erasure(services, {
    name: 'abandoned groups',
    column: 'dm_id',
    find: abandonedGroups,
    end: async (job, dmId) => {
      // Which files are shown elsewhere is known only now.
      await services.files.deleteUploadsTo(job, dmId)
      await job.db.deleteFrom('dms').where('dm_id', '=', dmId).execute()
    },
  })
}

async function abandonedGroups(db: Kysely<Schema>): Promise<number[]> {
  const groups = await db
    .selectFrom('dms')
    .select('dm_id')
    .where('lower_user_id', 'is', null)
    .where(({ not, exists, selectFrom }) =>
      not(exists(selectFrom('dm_participants').select('user_id').whereRef('dm_participants.dm_id', '=', 'dms.dm_id'))),
    )
    .execute()
  return groups.map(({ dm_id }) => dm_id)
}
