import {
  createEmoji,
  createSticker,
  deleteEmoji,
  deleteSticker,
  type EmojiObject,
  listEmoji,
  listStickers,
  type StickerObject,
  updateEmoji,
  updateSticker,
} from '@vox/protocol/endpoints'
import type { Mount } from '../../http/pipeline.ts'
import { pageOf } from '../../pages.ts'
import type { Services } from '../../services.ts'
import { EMOJI, type Picture, STICKERS } from './lists.ts'
import { PictureService } from './service.ts'

/** Custom emoji and stickers. */
export function emoji(services: Services, on: Mount): void {
  bindEmoji(new PictureService(services, EMOJI), on)
  bindStickers(new PictureService(services, STICKERS), on)
}

function bindEmoji(service: PictureService, on: Mount): void {
  const object = ({ id, ...rest }: Picture): EmojiObject => ({ emoji_id: id, ...rest })

  on(listEmoji, async ({ query }) => pageOf((await service.list(query)).map(object), ({ emoji_id }) => emoji_id))
  on(createEmoji, async ({ body, caller }) => object(await service.create(caller.userId, body)))
  on(updateEmoji, async ({ params, body }) => object(await service.rename(params.emoji_id, body.name)))
  on(deleteEmoji, ({ params, caller }) => service.delete(caller.userId, params.emoji_id))
}

function bindStickers(service: PictureService, on: Mount): void {
  const object = ({ id, ...rest }: Picture): StickerObject => ({ sticker_id: id, ...rest })

  on(listStickers, async ({ query }) => pageOf((await service.list(query)).map(object), ({ sticker_id }) => sticker_id))
  on(createSticker, async ({ body, caller }) => object(await service.create(caller.userId, body)))
  on(updateSticker, async ({ params, body }) => object(await service.rename(params.sticker_id, body.name)))
  on(deleteSticker, ({ params, caller }) => service.delete(caller.userId, params.sticker_id))
}
