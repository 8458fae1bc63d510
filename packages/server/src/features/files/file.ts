import type { FileObject } from '@vox/protocol/endpoints'
import type { Selectable } from 'kysely'
import { seconds } from '../../clock.ts'
import type { Files } from '../../db/schema.ts'

/** What is stored of a file, beside its bytes. */
export type FileRow = Selectable<Files>

/** A file in its wire form (spec 04, section 7.1). */
export function fileObject({
  file_id,
  name,
  size,
  mime,
  url,
  uploader_id,
  created_at,
  width,
  height,
}: FileRow): FileObject {
  return { file_id, name, size, mime, url, uploader_id, width, height, created_at: seconds(created_at) }
}

/** A file as events have it. */
export function eventFile({ file_id, name, size, mime, url }: FileRow) {
  return { file_id, name, size, mime, url }
}
