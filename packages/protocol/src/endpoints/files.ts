import { endpoint } from '../endpoint.ts'
import { Fields, FilePart, Id, Integer, List, Maybe, Nullable, refine, Seconds, type Static, Text } from '../schema.ts'
import { FeedParams } from './common.ts'

/** A stored file (spec 04, section 7.1). */
export const FileObject = Fields({
  file_id: Text(),
  name: Text(),
  size: Integer(0),
  mime: Text(),
  url: Text(),
  uploader_id: Nullable(Id),
  created_at: Nullable(Seconds),
  width: Nullable(Integer()),
  height: Nullable(Integer()),
})
/** A stored file. */
export type FileObject = Static<typeof FileObject>

/** A file with what may be said of it; both override what the part itself says (spec 04, section 7.2). */
export const FileUpload = Fields({ file: FilePart, name: Maybe(Text()), mime: Maybe(Text()) })
/** A file with what may be said of it. */
export type FileUpload = Static<typeof FileUpload>

/** Files a message may have (spec 04, section 1.9). */
const MAX_ATTACHMENTS = 10

/** Ids of files to attach to a message, in order; one named twice counts once (spec 04, section 1.5). */
export const AttachmentIds = refine(List(Text()), (ids) =>
  new Set(ids).size > MAX_ATTACHMENTS ? `must name at most ${MAX_ATTACHMENTS} files` : undefined,
)

/** Path segment of a file. */
const FileParams = Fields({ file_id: Text() })

/** Uploads a file to be attached to messages; until then it is its uploader's alone (spec 04, section 7.2). */
export const uploadFile = endpoint({
  method: 'POST',
  path: '/feeds/:feed_id/files',
  summary: 'Upload a file',
  auth: 'session',
  requires: { permission: 'ATTACH_FILES', in: 'feed' },
  params: FeedParams,
  body: FileUpload,
  reply: { 201: FileObject },
  errors: ['MISSING_PERMISSIONS', 'SPACE_NOT_FOUND', 'FILE_TOO_LARGE', 'UNSUPPORTED_MEDIA_TYPE'],
})

/** The bytes of a file, for whoever sees a message it is attached to (spec 04, section 7.5). */
export const getFile = endpoint({
  method: 'GET',
  path: '/files/:file_id',
  summary: 'Download a file',
  auth: 'session',
  params: FileParams,
  reply: { 200: FileObject },
  download: true,
  errors: ['FILE_NOT_FOUND', 'FORBIDDEN', ['VALIDATION_ERROR', 416]],
})

/** Deletes a file and takes it off its messages: its uploader, or a moderator (spec 04, section 7.6). */
export const deleteFile = endpoint({
  method: 'DELETE',
  path: '/files/:file_id',
  summary: 'Delete a file',
  auth: 'session',
  params: FileParams,
  reply: { 204: null },
  errors: ['FILE_NOT_FOUND', 'FORBIDDEN', 'INVALID_OPERATION'],
})
