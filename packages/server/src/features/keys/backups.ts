import { ApiError, type ReplyOf } from '@vox/protocol'
import type { getKeyBackup } from '@vox/protocol/endpoints'
import { seconds } from '../../clock.ts'
import type { Services } from '../../services.ts'

/** Replaces the user's backup, which only the user can read (spec 05, section 11). */
export async function storeBackup({ work, clock }: Services, userId: number, encrypted_blob: string): Promise<void> {
  const backup = { encrypted_blob, updated_at: clock.now() }
  await work.run(({ db }) =>
    db
      .insertInto('key_backups')
      .values({ user_id: userId, ...backup })
      .onConflict((row) => row.column('user_id').doUpdateSet(backup))
      .execute(),
  )
}

export async function findBackup({ db }: Services, userId: number): Promise<ReplyOf<typeof getKeyBackup>> {
  const backup = await db.read
    .selectFrom('key_backups')
    .select(['encrypted_blob', 'updated_at'])
    .where('user_id', '=', userId)
    .executeTakeFirst()
  if (!backup) throw new ApiError('KEY_BACKUP_NOT_FOUND')
  return { ...backup, updated_at: seconds(backup.updated_at) }
}
