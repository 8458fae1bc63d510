import { endpoint } from '../endpoint.ts'
import { Fields, FilePart, Id, Integer, refine, type Static, Text } from '../schema.ts'
import { nameProblem, Page, PageQuery } from './common.ts'

/** A custom emoji (spec 03, section 19). */
export const EmojiObject = Fields({ emoji_id: Id, name: Text(), creator_id: Id, image: Text() })
/** A custom emoji. */
export type EmojiObject = Static<typeof EmojiObject>

/** A sticker (spec 03, section 19). */
export const StickerObject = Fields({ sticker_id: Id, name: Text(), creator_id: Id, image: Text() })
/** A sticker. */
export type StickerObject = Static<typeof StickerObject>

const PictureName = Text({ min: 1, max: 'emoji_name_max' })

/** It stands between colons in texts. */
const EmojiName = refine(PictureName, (name) =>
  /^[\p{L}\p{M}\p{Nd}_-]*$/u.test(name) ? undefined : 'may have letters, digits, _ and - only',
)
const StickerName = refine(PictureName, nameProblem)

const EmojiParams = Fields({ emoji_id: Id })
const StickerParams = Fields({ sticker_id: Id })

const permitted = { auth: 'session', requires: { permission: 'MANAGE_EMOJI' } } as const

/** Custom emoji by id (spec 03, section 19). */
export const listEmoji = endpoint({
  method: 'GET',
  path: '/emoji',
  summary: 'Custom emoji',
  auth: 'session',
  query: PageQuery(Integer(0)),
  reply: { 200: Page(EmojiObject) },
})

/** Adds an emoji (spec 03, section 19). */
export const createEmoji = endpoint({
  ...permitted,
  method: 'POST',
  path: '/emoji',
  summary: 'Add an emoji',
  body: Fields({ image: FilePart, name: EmojiName }),
  reply: { 201: EmojiObject },
  errors: ['MISSING_PERMISSIONS', 'FILE_TOO_LARGE', 'UNSUPPORTED_MEDIA_TYPE', 'INVALID_OPERATION'],
})

/** Renames an emoji (spec 03, section 19). */
export const updateEmoji = endpoint({
  ...permitted,
  method: 'PATCH',
  path: '/emoji/:emoji_id',
  summary: 'Rename an emoji',
  params: EmojiParams,
  body: Fields({ name: EmojiName }),
  reply: { 200: EmojiObject },
  errors: ['MISSING_PERMISSIONS', 'SPACE_NOT_FOUND', 'INVALID_OPERATION'],
})

/** Deletes an emoji with its image (spec 03, section 19). */
export const deleteEmoji = endpoint({
  ...permitted,
  method: 'DELETE',
  path: '/emoji/:emoji_id',
  summary: 'Delete an emoji',
  params: EmojiParams,
  reply: { 204: null },
  errors: ['MISSING_PERMISSIONS', 'SPACE_NOT_FOUND'],
})

/** Stickers by id (spec 03, section 19). */
export const listStickers = endpoint({
  method: 'GET',
  path: '/stickers',
  summary: 'Stickers',
  auth: 'session',
  query: PageQuery(Integer(0)),
  reply: { 200: Page(StickerObject) },
})

/** Adds a sticker (spec 03, section 19). */
export const createSticker = endpoint({
  ...permitted,
  method: 'POST',
  path: '/stickers',
  summary: 'Add a sticker',
  body: Fields({ image: FilePart, name: StickerName }),
  reply: { 201: StickerObject },
  errors: ['MISSING_PERMISSIONS', 'FILE_TOO_LARGE', 'UNSUPPORTED_MEDIA_TYPE', 'INVALID_OPERATION'],
})

/** Renames a sticker (spec 03, section 19). */
export const updateSticker = endpoint({
  ...permitted,
  method: 'PATCH',
  path: '/stickers/:sticker_id',
  summary: 'Rename a sticker',
  params: StickerParams,
  body: Fields({ name: StickerName }),
  reply: { 200: StickerObject },
  errors: ['MISSING_PERMISSIONS', 'SPACE_NOT_FOUND', 'INVALID_OPERATION'],
})

/** Deletes a sticker with its image (spec 03, section 19). */
export const deleteSticker = endpoint({
  ...permitted,
  method: 'DELETE',
  path: '/stickers/:sticker_id',
  summary: 'Delete a sticker',
  params: StickerParams,
  reply: { 204: null },
  errors: ['MISSING_PERMISSIONS', 'SPACE_NOT_FOUND'],
})
