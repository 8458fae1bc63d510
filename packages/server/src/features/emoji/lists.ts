import {
  emojiCreate,
  emojiDelete,
  emojiUpdate,
  type LimitName,
  stickerCreate,
  stickerDelete,
  stickerUpdate,
} from '@vox/protocol'
import type { Audience } from '../../events/audience.ts'
import type { Work } from '../../events/work.ts'

/** A custom emoji or a sticker. */
export interface Picture {
  id: number
  name: string
  creator_id: number
  image: string
}

/** What makes the two lists of pictures different from one another (spec 03, section 19). */
export interface PictureList {
  table: 'emoji' | 'stickers'
  idColumn: 'emoji_id' | 'sticker_id'
  /** What the audit log calls one of them. */
  noun: 'emoji' | 'sticker'
  /** How many there may be (spec 03, section 20). */
  capacity: number
  allowedTypes: 'media.allowed_emoji_mimes' | 'media.allowed_sticker_mimes'
  pageLimit: LimitName
  announceNew(job: Work, picture: Picture): void
  announceName(job: Work, picture: Picture): void
  announceEnd(job: Work, picture: Picture): void
}

const EVERYBODY: Audience = { to: 'members' }

export const EMOJI: PictureList = {
  table: 'emoji',
  idColumn: 'emoji_id',
  noun: 'emoji',
  capacity: 2000,
  allowedTypes: 'media.allowed_emoji_mimes',
  pageLimit: 'page_limit_emoji',
  announceNew: (job, { id, ...rest }) => job.emit(emojiCreate, { emoji_id: id, ...rest }, EVERYBODY),
  announceName: (job, { id, name }) => job.emit(emojiUpdate, { emoji_id: id, name }, EVERYBODY),
  announceEnd: (job, { id }) => job.emit(emojiDelete, { emoji_id: id }, EVERYBODY),
}

export const STICKERS: PictureList = {
  table: 'stickers',
  idColumn: 'sticker_id',
  noun: 'sticker',
  capacity: 1000,
  allowedTypes: 'media.allowed_sticker_mimes',
  pageLimit: 'page_limit_stickers',
  announceNew: (job, { id, ...rest }) => job.emit(stickerCreate, { sticker_id: id, ...rest }, EVERYBODY),
  announceName: (job, { id, name }) => job.emit(stickerUpdate, { sticker_id: id, name }, EVERYBODY),
  announceEnd: (job, { id }) => job.emit(stickerDelete, { sticker_id: id }, EVERYBODY),
}
