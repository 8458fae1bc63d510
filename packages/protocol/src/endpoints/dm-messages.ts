import { endpoint } from '../endpoint.ts'
import { Fields, List } from '../schema.ts'
import { DmMessageParams, DmParams } from './common.ts'
import { FileObject, FileUpload } from './files.ts'
import { EditMessage, HistoryQuery, MessageEdited, MessageObject, MessageSent, SendMessage } from './messages.ts'
import { ReactionGroup, ReactionText } from './reactions.ts'
import { ReadUpTo } from './sync.ts'

/** Being a participant is the only right to a conversation, and its lack the first thing that is answered. */
const reading = { auth: 'session', forParticipants: true } as const
const writing = { ...reading, refusesGuests: true } as const

const { body, opaque_blob, reply_to, attachments, mentions } = SendMessage.properties

/** Sends into a conversation; embeds and components are ignored there (spec 05, section 3.2). */
export const sendDmMessage = endpoint({
  ...writing,
  method: 'POST',
  path: '/dms/:dm_id/messages',
  summary: 'Send a direct message',
  params: DmParams,
  body: Fields({ body, opaque_blob, reply_to, attachments, mentions }),
  reply: { 201: MessageSent },
  errors: [
    'NOT_DM_PARTICIPANT',
    'USER_BLOCKED',
    'EMPTY_MESSAGE',
    'MESSAGE_TOO_LARGE',
    'PAYLOAD_TOO_LARGE',
    'INVALID_ATTACHMENT',
    'FORBIDDEN',
  ],
})

/** Messages of a conversation, newest first (spec 05, section 3.3). */
export const listDmMessages = endpoint({
  ...reading,
  method: 'GET',
  path: '/dms/:dm_id/messages',
  summary: 'Messages of a conversation, newest first',
  params: DmParams,
  query: HistoryQuery,
  reply: { 200: Fields({ messages: List(MessageObject) }) },
  errors: ['NOT_DM_PARTICIPANT'],
})

/** One message of a conversation (spec 05, section 3.3). */
export const getDmMessage = endpoint({
  ...reading,
  method: 'GET',
  path: '/dms/:dm_id/messages/:msg_id',
  summary: 'Read a direct message',
  params: DmMessageParams,
  reply: { 200: MessageObject },
  errors: ['NOT_DM_PARTICIPANT', 'MESSAGE_NOT_FOUND'],
})

/** Replaces the content of the caller's own message (spec 05, section 3.4). */
export const editDmMessage = endpoint({
  ...writing,
  method: 'PATCH',
  path: '/dms/:dm_id/messages/:msg_id',
  summary: 'Edit your own direct message',
  params: DmMessageParams,
  body: EditMessage,
  reply: { 200: MessageEdited },
  errors: [
    'NOT_DM_PARTICIPANT',
    'MESSAGE_NOT_FOUND',
    'FORBIDDEN',
    'USER_BLOCKED',
    'EMPTY_MESSAGE',
    'PAYLOAD_TOO_LARGE',
  ],
})

/** Deletes the caller's own message; nobody else may, administrators included (spec 05, section 3.5). */
export const deleteDmMessage = endpoint({
  ...writing,
  method: 'DELETE',
  path: '/dms/:dm_id/messages/:msg_id',
  summary: 'Delete your own direct message',
  params: DmMessageParams,
  reply: { 204: null },
  errors: ['NOT_DM_PARTICIPANT', 'MESSAGE_NOT_FOUND', 'FORBIDDEN'],
})

/** Reactions to a direct message, emoji by emoji, the first one first (spec 05, section 3.3). */
export const listDmReactions = endpoint({
  ...reading,
  method: 'GET',
  path: '/dms/:dm_id/messages/:msg_id/reactions',
  summary: 'Reactions to a direct message',
  params: DmMessageParams,
  reply: { 200: Fields({ reactions: List(ReactionGroup) }) },
  errors: ['NOT_DM_PARTICIPANT', 'MESSAGE_NOT_FOUND'],
})

const ReactionParams = Fields({ ...DmMessageParams.properties, emoji: ReactionText })

/** Reacts to a direct message; a reaction that is there already stays as it is (spec 05, section 4.1). */
export const addDmReaction = endpoint({
  ...writing,
  method: 'PUT',
  path: '/dms/:dm_id/messages/:msg_id/reactions/:emoji',
  summary: 'React to a direct message',
  params: ReactionParams,
  reply: { 204: null },
  errors: ['NOT_DM_PARTICIPANT', 'MESSAGE_NOT_FOUND', 'USER_BLOCKED', 'INVALID_OPERATION', 'FORBIDDEN'],
})

/** Takes the caller's own reaction back, if there is one (spec 05, section 4.1). */
export const removeDmReaction = endpoint({
  ...writing,
  method: 'DELETE',
  path: '/dms/:dm_id/messages/:msg_id/reactions/:emoji',
  summary: 'Take your reaction to a direct message back',
  params: ReactionParams,
  reply: { 204: null },
  errors: ['NOT_DM_PARTICIPANT', 'MESSAGE_NOT_FOUND', 'FORBIDDEN'],
})

/** Notes and tells how far the caller has read; never goes back (spec 05, section 4.2). */
export const markDmRead = endpoint({
  ...reading,
  method: 'POST',
  path: '/dms/:dm_id/read',
  summary: 'Mark a conversation as read',
  params: DmParams,
  body: ReadUpTo,
  reply: { 204: null },
  errors: ['NOT_DM_PARTICIPANT'],
})

/** Uploads a file to be attached in a conversation; until then it is its uploader's alone (spec 05, section 4.4). */
export const uploadDmFile = endpoint({
  ...writing,
  method: 'POST',
  path: '/dms/:dm_id/files',
  summary: 'Upload a file to a conversation',
  params: DmParams,
  body: FileUpload,
  reply: { 201: FileObject },
  errors: ['NOT_DM_PARTICIPANT', 'FILE_TOO_LARGE', 'UNSUPPORTED_MEDIA_TYPE', 'FORBIDDEN'],
})
