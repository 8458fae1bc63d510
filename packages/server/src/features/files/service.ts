import type { Readable } from 'node:stream'
import { ApiError } from '@vox/protocol'
import type { FileObject } from '@vox/protocol/endpoints'
import { mimeAllowed } from '../../config/mime.ts'
import { Download } from '../../http/download.ts'
import type { UploadedFile } from '../../http/form.ts'
import type { Services } from '../../services.ts'
import type { ByteRange, Storage } from '../../storage/storage.ts'
import type { HomeKey } from '../messages/home.ts'
import { existingFeed } from '../spaces/sight.ts'
import { checkDeletable, mayRead } from './access.ts'
import { type FileRow, fileObject } from './file.ts'
import { declaredType, displayName, recognizedType, UNKNOWN_TYPE } from './naming.ts'
import { findFile } from './store.ts'

/** A form with which somebody uploads a file. */
interface Upload {
  file: UploadedFile
  name?: string
  mime?: string
}

/** Uploads, downloads and deletions (spec 04, section 7). */
export class FileService {
  readonly #services: Services

  constructor(services: Services) {
    this.#services = services
  }

  async upload(uploaderId: number, home: HomeKey, { file, name, mime }: Upload): Promise<FileObject> {
    const { community, config, files } = this.#services
    if ('feed_id' in home) existingFeed(community, home.feed_id)
    const declared = declaredType(mime) ?? declaredType(file.type)
    const type = (await recognizedType(file)) ?? declared ?? UNKNOWN_TYPE
    if (!mimeAllowed(config.get('media.allowed_file_mimes'), type))
      throw new ApiError('UNSUPPORTED_MEDIA_TYPE', { message: `Files of type ${type} are not allowed here.` })
    return files.add(
      { content: file.content, name: displayName(name, file.name), mime: type, uploaderId, home },
      async (_job, row) => fileObject(row),
    )
  }

  async download(userId: number, fileId: string): Promise<StoredFile> {
    const { db, community, config, storage } = this.#services
    const file = found(await findFile(db.read, fileId))
    if (!(await mayRead({ db: db.read, community, config }, userId, file))) throw new ApiError('FORBIDDEN')
    return new StoredFile(file, storage)
  }

  async delete(userId: number, fileId: string): Promise<void> {
    const { community, files } = this.#services
    await files.delete(async (job) => {
      const file = found(await findFile(job.db, fileId))
      await checkDeletable({ db: job.db, community }, userId, file)
      return fileId
    })
  }
}

function found<T>(value: T | undefined): T {
  if (value === undefined) throw new ApiError('FILE_NOT_FOUND')
  return value
}

/** The bytes of a file on their way to somebody who may read them. */
class StoredFile extends Download {
  readonly #file: FileRow
  readonly #storage: Storage

  constructor(file: FileRow, storage: Storage) {
    super()
    this.#file = file
    this.#storage = storage
  }

  get name(): string {
    return this.#file.name
  }

  get mime(): string {
    return this.#file.mime
  }

  get size(): number {
    return this.#file.size
  }

  get version(): string {
    return this.#file.file_id
  }

  async toJson(): Promise<FileObject> {
    await this.confirm()
    return fileObject(this.#file)
  }

  async confirm(): Promise<void> {
    found(await this.#storage.facts(this.#file.file_id))
  }

  async open(range?: ByteRange): Promise<Readable> {
    return found(await this.#storage.get(this.#file.file_id, range))
  }
}
