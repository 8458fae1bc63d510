import { ApiError, Permission } from '@vox/protocol'
import { type Kysely, sql } from 'kysely'
import type { Community } from '../../community/community.ts'
import { engineOf } from '../../db/dialect.ts'
import type { Schema } from '../../db/schema.ts'
import type { Work } from '../../events/work.ts'
import { demandPermission } from '../../http/pipeline.ts'
import { type Home, isConversation } from '../messages/home.ts'
import { mayReattach } from './access.ts'
import type { FileRow, ShownFile } from './file.ts'

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

const SHOWN: Readonly<Record<keyof ShownFile, true>> = {
  file_id: true,
  name: true,
  size: true,
  mime: true,
  url: true,
  uploader_id: true,
  width: true,
  height: true,
  created_at: true,
}
const FIELDS = sql.join(Object.keys(SHOWN).map((name) => sql`${sql.lit(name)}, ${sql.ref(`f.${name}`)}`))

/**
 * The files that a row of `messages` shows, in order, as the JSON text of a list of {@link ShownFile}; null if it shows
 * none. A part of the query that reads the messages: a query of its own would double what reading a page costs.
 */
export function filesShown(db: Kysely<Schema>) {
  const [list, object] =
    engineOf(db) === 'sqlite' ? ['json_group_array', 'json_object'] : ['json_agg', 'json_build_object']
  return sql<string | null>`(
    select nullif(cast(${sql.raw(list)}(${sql.raw(object)}(${FIELDS}) order by a.position) as text), '[]')
    from message_attachments as a join files as f on f.file_id = a.file_id where a.msg_id = messages.msg_id
  )`.as('files')
}
