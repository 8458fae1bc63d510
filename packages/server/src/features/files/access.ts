import { ApiError, holds, Permission } from '@vox/protocol'
import type { Kysely } from 'kysely'
import type { Community } from '../../community/community.ts'
import type { Config } from '../../config/config.ts'
import type { Schema } from '../../db/schema.ts'
import { takesPart } from '../dms/participants.ts'
import { type Home, isConversation } from '../messages/home.ts'
import type { FileRow } from './file.ts'
import { type FilePlace, isIconOfOwnGroup, isPicture, placesShowing } from './store.ts'

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
  const places = await placesShowing(db, file.file_id)
  if (await seesOneOf({ db, community }, userId, places)) return true
  if (await isPicture(db, file.file_id)) return true
  if (places.length > 0) return false
  if (file.uploader_id === userId || file.url === config.get('server.icon')) return true
  return (await isAvatar(db, file)) || isIconOfOwnGroup(db, file, userId)
}

/**
 * Refuses the URL of a file that the user may not read, as a picture that everybody may: it would open to them by that.
 *
 * @throws ApiError `FORBIDDEN`
 */
export async function demandShowable(
  circumstances: Circumstances & { config: Config },
  userId: number,
  url: string,
): Promise<void> {
  const file = await circumstances.db
    .selectFrom('files')
    .selectAll()
    // The URL ends with it, and it has an index.
    .where('file_id', '=', url.slice(url.lastIndexOf('/') + 1))
    .where('url', '=', url)
    .executeTakeFirst()
  if (file && !(await mayRead(circumstances, userId, file)))
    throw new ApiError('FORBIDDEN', { message: 'You may not read that file yourself.' })
}

async function seesOneOf({ db, community }: Circumstances, userId: number, places: readonly FilePlace[]) {
  for (const { feed_id, dm_id } of places) {
    if (feed_id !== null && community.sees(userId, { type: 'feed', id: feed_id })) return true
    if (dm_id !== null && (await takesPart(db, userId, dm_id))) return true
  }
  return false
}

/** Whether a file is how its uploader, or a webhook, shows up. */
async function isAvatar(db: Kysely<Schema>, { url, uploader_id }: FileRow): Promise<boolean> {
  const { avatar } = await db
    .selectFrom('users')
    .select('avatar')
    .where('user_id', '=', uploader_id)
    .executeTakeFirstOrThrow()
  if (avatar === url) return true
  const webhook = await db.selectFrom('webhooks').select('webhook_id').where('avatar', '=', url).executeTakeFirst()
  return webhook !== undefined
}

/** Refuses to delete a file for whoever may not, and one that an emoji or sticker needs (spec 04, section 7.6). */
export async function checkDeletable({ db, community }: Circumstances, userId: number, file: FileRow): Promise<void> {
  if (file.uploader_id !== userId && !(await moderates({ db, community }, userId, file)))
    throw new ApiError('FORBIDDEN')
  if (await isPicture(db, file.file_id))
    throw new ApiError('INVALID_OPERATION', { message: 'Delete the emoji or sticker whose image this is.' })
}

/**
 * Whether a user is a moderator wherever the file is shown; of one that is shown nowhere, of the whole server. Nobody
 * moderates conversations.
 */
async function moderates({ db, community }: Circumstances, userId: number, { file_id, dm_id }: FileRow) {
  if (dm_id !== null) return false
  const places = await placesShowing(db, file_id)
  if (places.length === 0) return holds(community.permissions(userId), Permission.MANAGE_MESSAGES)
  return places.every(
    ({ feed_id: id }) =>
      id !== null && holds(community.permissionsIn(userId, { type: 'feed', id }), Permission.MANAGE_MESSAGES),
  )
}

/**
 * Whether somebody who did not upload a file may attach it: in the conversation, or in the feed, to which it was
 * uploaded; in a feed, where not everybody knows one another, only what they see already.
 */
export async function mayReattach(
  { db, community }: Circumstances,
  userId: number,
  file: FileRow,
  home: Home,
): Promise<boolean> {
  if (isConversation(home)) return file.dm_id === home.dm_id
  if (file.feed_id !== home.feed_id) return false
  return seesOneOf({ db, community }, userId, await placesShowing(db, file.file_id))
}
