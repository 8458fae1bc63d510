import { ApiError, Permission } from '@vox/protocol'
import { sql } from 'kysely'
import type { Community } from '../../community/community.ts'
import { engineOf } from '../../db/dialect.ts'
import type { Work } from '../../events/work.ts'
import { demandPermission } from '../../http/pipeline.ts'
import { type Home, isConversation } from '../messages/home.ts'
import { mayReattach } from './access.ts'
import type { FileRow } from './file.ts'

/** Files that a message is about to show. */
interface Wanted {
  authorId: number
  home: Home
  fileIds: readonly string[]
}

/** The files to attach, in order; refuses what the author may not attach there (spec 04, section 1.5). */
export async function resolveAttachments(
  job: Work,
  community: Community,
  { authorId, home, fileIds }: Wanted,
): Promise<FileRow[]> {
  if (fileIds.length === 0) return []
  if (!isConversation(home))
    demandPermission(community.permissionsIn(authorId, { type: 'feed', id: home.feed_id }), Permission.ATTACH_FILES)
  const wanted = [...new Set(fileIds)]
  const rows = await job.db.selectFrom('files').selectAll().where('file_id', 'in', wanted).execute()
  const known = new Map(rows.map((file) => [file.file_id, file]))
  const files: FileRow[] = []
  for (const fileId of wanted) {
    const file = known.get(fileId)
    if (!file) throw new ApiError('INVALID_ATTACHMENT', { message: `There is no file ${fileId}.` })
    if (file.uploader_id !== authorId && !(await mayReattach({ db: job.db, community }, authorId, file, home)))
      throw new ApiError('FORBIDDEN', { message: `The file ${fileId} is not yours.` })
    files.push(file)
  }
  return files
}

/** Links a stored message to the files that it shows. */
export async function attach(job: Work, msg_id: bigint, files: readonly FileRow[]): Promise<void> {
  if (files.length === 0) return
  const links = files.map(({ file_id }, position) => ({ msg_id, file_id, position }))
  await job.db.insertInto('message_attachments').values(links).execute()
}

/** Takes a file, which is about to go, from the messages that show it. */
export async function detach(job: Work, fileId: string): Promise<void> {
  const list =
    engineOf(job.db) === 'sqlite'
      ? sql`nullif(json_group_array(json(value)), '[]') from json_each(files)`
      : sql`cast(json_agg(value) as text) from json_array_elements(cast(files as json))`
  await job.db
    .updateTable('messages')
    .set({ files: sql<string | null>`(select ${list} where value ->> 'file_id' <> ${fileId})` })
    .where('msg_id', 'in', (eb) => eb.selectFrom('message_attachments').select('msg_id').where('file_id', '=', fileId))
    .execute()
}
