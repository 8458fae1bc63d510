import { ApiError, Permission } from '@vox/protocol'
import type { FileObject } from '@vox/protocol/endpoints'
import { type Kysely, sql } from 'kysely'
import type { Community } from '../../community/community.ts'
import { among, prepared } from '../../db/prepared.ts'
import type { Schema } from '../../db/schema.ts'
import type { Work } from '../../events/work.ts'
import { demandPermission } from '../../http/pipeline.ts'
import { type Home, isConversation } from '../messages/home.ts'
import { mayReattach } from './access.ts'
import { type FileRow, fileObject } from './file.ts'

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

/** Makes a stored message show files. */
export async function attach(job: Work, msg_id: bigint, files: readonly FileRow[]): Promise<void> {
  if (files.length === 0) return
  const links = files.map(({ file_id }, position) => ({ msg_id, file_id, position }))
  await job.db.insertInto('message_attachments').values(links).execute()
}

const filesOf = prepared((db, p: { msg_ids: readonly bigint[] }) =>
  db
    .selectFrom('message_attachments')
    .innerJoin('files', 'files.file_id', 'message_attachments.file_id')
    .select('msg_id')
    .selectAll('files')
    .where(among(db, sql.ref('msg_id'), p.msg_ids))
    .orderBy('position'),
)

/** The files that each of these messages shows, in order; messages without files are missing. */
export async function attachmentsOf(
  db: Kysely<Schema>,
  msg_ids: readonly bigint[],
): Promise<ReadonlyMap<bigint, readonly FileObject[]>> {
  if (msg_ids.length === 0) return new Map()
  const shown = Map.groupBy(await filesOf(db, { msg_ids }), ({ msg_id }) => msg_id)
  return new Map(
    Array.from(shown, ([msgId, files]) => [msgId, files.map(({ msg_id: _, ...file }) => fileObject(file))]),
  )
}
