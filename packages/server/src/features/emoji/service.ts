import { ApiError } from '@vox/protocol'
import { type MimeList, mimeAllowed } from '../../config/mime.ts'
import type { Work } from '../../events/work.ts'
import type { UploadedFile } from '../../http/form.ts'
import { pageSize } from '../../pages.ts'
import type { Services } from '../../services.ts'
import type { FileRow } from '../files/file.ts'
import { declaredType, displayName, recognizedType, UNKNOWN_TYPE } from '../files/naming.ts'
import type { Picture, PictureList } from './lists.ts'
import { count, findPicture, insert, isTaken, page, remove, rename } from './store.ts'

/** Emoji, or stickers (spec 03, section 19). */
export class PictureService {
  readonly #services: Services
  readonly #list: PictureList

  constructor(services: Services, list: PictureList) {
    this.#services = services
    this.#list = list
  }

  list(query: { after?: number; limit?: number }): Promise<Picture[]> {
    const { db, config } = this.#services
    const limit = pageSize(query, config.limits[this.#list.pageLimit])
    return page(db.read, this.#list, { after: query.after ?? 0, limit })
  }

  async create(creatorId: number, { image, name }: { image: UploadedFile; name: string }): Promise<Picture> {
    const { config, files } = this.#services
    const mime = await imageType(image, config.get(this.#list.allowedTypes))
    return files.add(
      { content: image.content, name: displayName(image.name), mime, uploaderId: creatorId, home: null },
      (job, file) => this.#add(job, name, file),
    )
  }

  async rename(id: number, name: string): Promise<Picture> {
    return this.#services.work.run(async (job) => {
      const { file_id: _, ...before } = await this.#find(job, id)
      if (name === before.name) return before
      await this.#checkName(job, name)
      await rename(job.db, this.#list, id, name)
      const picture = { ...before, name }
      this.#list.announceName(job, picture)
      return picture
    })
  }

  async delete(actor: number, id: number): Promise<void> {
    await this.#services.files.delete(async (job) => {
      const picture = await this.#find(job, id)
      await remove(job.db, this.#list, id)
      this.#list.announceEnd(job, picture)
      job.audit({ type: `${this.#list.noun}.delete`, actor, target: id, metadata: { name: picture.name } })
      return picture.file_id
    })
  }

  async #add(job: Work, name: string, { file_id, uploader_id, url }: FileRow): Promise<Picture> {
    await this.#checkName(job, name)
    const { capacity, noun } = this.#list
    if ((await count(job.db, this.#list)) >= capacity)
      throw new ApiError('INVALID_OPERATION', { message: `A server has at most ${capacity} of these.` })
    const id = await insert(job.db, this.#list, { name, file_id, creator_id: uploader_id })
    const picture = { id, name, creator_id: uploader_id, image: url }
    this.#list.announceNew(job, picture)
    job.audit({ type: `${noun}.create`, actor: uploader_id, target: id, metadata: { name } })
    return picture
  }

  async #checkName(job: Work, name: string): Promise<void> {
    if (await isTaken(job.db, this.#list, name))
      throw new ApiError('INVALID_OPERATION', { message: `The name ${name} is taken.` })
  }

  async #find(job: Work, id: number) {
    const picture = await findPicture(job.db, this.#list, id)
    if (!picture) throw new ApiError('SPACE_NOT_FOUND', { message: `There is no ${this.#list.noun} ${id}.` })
    return picture
  }
}

/** The type of an image; both what is declared and what is recognised have to be allowed. */
async function imageType(image: UploadedFile, allowed: MimeList): Promise<string> {
  const declared = declaredType(image.type) ?? UNKNOWN_TYPE
  if (!mimeAllowed(allowed, declared)) throw refused(declared)
  const recognized = await recognizedType(image)
  if (recognized === undefined) return declared
  // Where PNG is allowed, its animated form is as well.
  const accepted = recognized === 'image/apng' ? [recognized, 'image/png'] : [recognized]
  if (!accepted.some((type) => mimeAllowed(allowed, type))) throw refused(recognized)
  return recognized
}

const refused = (type: string): ApiError =>
  new ApiError('UNSUPPORTED_MEDIA_TYPE', { message: `Images of type ${type} are not allowed here.` })
