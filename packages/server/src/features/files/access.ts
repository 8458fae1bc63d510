import { ApiError, holds, Permission } from '@vox/protocol'
import type { Kysely } from 'kysely'
import type { Community } from '../../community/community.ts'
import type { Config } from '../../config/config.ts'
import type { Schema } from '../../db/schema.ts'
import type { FileRow } from './file.ts'
import { feedsShowing, isPicture } from './store.ts'

/** What the rules look at. */
interface Circumstances {
  db: Kysely<Schema>
  community: Community
}

/** Whether a user may read a file: the table of spec 04, section 7.5, row by row. */
export async function mayRead(
  { db, community, config }: Circumstances & { config: Config },
  userId: number,
  file: FileRow,
): Promise<boolean> {
  const feeds = await feedsShowing(db, file.file_id)
  if (feeds.some((feedId) => feedId !== null && community.sees(userId, { type: 'feed', id: feedId }))) return true
  if (await isPicture(db, file.file_id)) return true
  if (feeds.length > 0) return false
  return file.uploader_id === userId || file.url === config.get('server.icon') || isAvatar(db, file)
}

/** Whether a file is how its uploader shows up. */
async function isAvatar(db: Kysely<Schema>, { url, uploader_id }: FileRow): Promise<boolean> {
  const { avatar } = await db
    .selectFrom('users')
    .select('avatar')
    .where('user_id', '=', uploader_id)
    .executeTakeFirstOrThrow()
  return avatar === url
}

/** Refuses to delete a file for whoever may not, and one that an emoji or sticker needs (spec 04, section 7.6). */
export async function checkDeletable({ db, community }: Circumstances, userId: number, file: FileRow): Promise<void> {
  if (file.uploader_id !== userId && !(await moderates({ db, community }, userId, file)))
    throw new ApiError('FORBIDDEN')
  if (await isPicture(db, file.file_id))
    throw new ApiError('INVALID_OPERATION', { message: 'Delete the emoji or sticker whose image this is.' })
}

/** Whether a user is a moderator wherever the file is shown; of one that is shown nowhere, of the whole server. */
async function moderates({ db, community }: Circumstances, userId: number, { file_id }: FileRow) {
  const feeds = await feedsShowing(db, file_id)
  if (feeds.length === 0) return holds(community.permissions(userId), Permission.MANAGE_MESSAGES)
  return feeds.every(
    (id) => id !== null && holds(community.permissionsIn(userId, { type: 'feed', id }), Permission.MANAGE_MESSAGES),
  )
}

/** Whether somebody who did not upload a file may attach it in a feed: there it came from, and they see it already. */
export async function mayReattach(
  { db, community }: Circumstances,
  userId: number,
  file: FileRow,
  feedId: number,
): Promise<boolean> {
  if (file.feed_id !== feedId) return false
  const feeds = await feedsShowing(db, file.file_id)
  return feeds.some((id) => id !== null && community.sees(userId, { type: 'feed', id }))
}
