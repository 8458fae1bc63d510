import { ApiError, type Limits, messageUpdate } from '@vox/protocol'
import type { Work } from '../../events/work.ts'
import { checkBlobLength, saysNothing } from './content.ts'
import { audienceOf, type Home, keyOf } from './home.ts'
import type { MessageRow } from './messages.ts'

/** A new content; what is given replaces all that was there. */
export interface Edit {
  body?: string
  opaque_blob?: string
}

export interface Edited {
  msg_id: bigint
  edit_timestamp: number
}

/** Refuses an edit that gives nothing, or too much of it. */
export function checkEdit(edit: Edit, limits: Limits): void {
  if (edit.body === undefined && edit.opaque_blob === undefined)
    throw new ApiError('VALIDATION_ERROR', { message: 'body: is required' })
  checkBlobLength(edit.opaque_blob, limits)
}

/** Gives a message another content and tells those who see it (spec 04, section 2.4; spec 05, section 3.4). */
export async function replaceContent(
  job: Work,
  home: Home,
  before: MessageRow,
  edit: Edit,
  now: number,
): Promise<Edited> {
  const { msg_id } = before
  if (saysNothing(edit) && before.embeds === null && before.files === null) throw new ApiError('EMPTY_MESSAGE')
  const { body = null, opaque_blob = null } = edit
  const shown = { body, edit_timestamp: now }
  await job.db
    .updateTable('messages')
    .set({ ...shown, opaque_blob })
    .where('msg_id', '=', msg_id)
    .execute()
  const showsBlob = before.opaque_blob !== null || opaque_blob !== null
  job.emit(messageUpdate, { msg_id, ...keyOf(home), ...shown, ...(showsBlob && { opaque_blob }) }, audienceOf(home))
  return { msg_id, edit_timestamp: now }
}
