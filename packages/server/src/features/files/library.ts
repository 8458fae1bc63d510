import { randomBytes } from 'node:crypto'
import { ApiError } from '@vox/protocol'
import type { NotNull } from 'kysely'
import type { Logger } from 'pino'
import type { Clock } from '../../clock.ts'
import type { Community } from '../../community/community.ts'
import type { Config } from '../../config/config.ts'
import { DatabaseUnavailable } from '../../db/database.ts'
import type { UnitOfWork, Work } from '../../events/work.ts'
import { urlOf } from '../../storage/open.ts'
import type { SpooledFile } from '../../storage/spool.ts'
import type { Storage } from '../../storage/storage.ts'
import { takesPart } from '../dms/participants.ts'
import type { HomeKey } from '../messages/home.ts'
import { detach } from './attachments.ts'
import { dimensionsOf } from './dimensions.ts'
import type { FileRow } from './file.ts'

interface LibraryContext {
  storage: Storage
  work: UnitOfWork
  community: Community
  config: Config
  clock: Clock
  log: Logger
}

/** A file that is to be stored. */
export interface NewFile {
  content: SpooledFile
  name: string
  mime: string
  uploaderId: number
  /** Null if it belongs to neither a feed nor a conversation. */
  home: HomeKey | null
}

/**
 * Stored files: bytes in the storage, everything else in the database. The two cannot change in one transaction, so the
 * order is what keeps them together: bytes come before their row and go after it. What a crash or a failing storage
 * leaves over in between is bytes without a row, which nobody can reach and the clean-up removes.
 */
export class FileLibrary {
  readonly #context: LibraryContext

  constructor(context: LibraryContext) {
    this.#context = context
  }

  /** Stores a file together with what `use` writes; if anything of that fails, nothing is stored. */
  async add<T>(file: NewFile, use: (job: Work, row: FileRow) => Promise<T>): Promise<T> {
    const { storage, work } = this.#context
    const row = await this.#rowFor(file)
    try {
      // A storage whose answer got lost may have the bytes all the same.
      await storage.put(row.file_id, file.content, row.mime)
      return await work.run(async (job) => {
        await this.#checkHome(job, row)
        await job.db.insertInto('files').values(row).execute()
        return use(job, row)
      })
    } catch (error) {
      // When the answer of the database was lost, the row may be there after all.
      if (!(error instanceof DatabaseUnavailable)) await this.#discard(row.file_id)
      throw error
    }
  }

  /** Deletes the file that `choose` names, with its attachments; a storage that fails does not stop it. */
  async delete(choose: (job: Work) => Promise<string>): Promise<void> {
    const fileId = await this.#context.work.run(async (job) => {
      const chosen = await choose(job)
      await detach(job, chosen)
      await job.db.deleteFrom('files').where('file_id', '=', chosen).execute()
      return chosen
    })
    await this.#discard(fileId)
  }

  /** Deletes, as part of a job, what was uploaded to a conversation and is not seen anywhere else either. */
  async deleteUploadsTo(job: Work, dmId: number): Promise<void> {
    const deleted = await job.db
      .deleteFrom('files')
      .where('dm_id', '=', dmId)
      .where('url', '<>', this.#context.config.get('server.icon') ?? '')
      .where('url', 'not in', ({ selectFrom }) =>
        selectFrom('webhooks').select('avatar').where('avatar', 'is not', null).$narrowType<{ avatar: NotNull }>(),
      )
      .where('url', 'not in', ({ selectFrom }) =>
        selectFrom('dms')
          .select('icon')
          .where('icon', 'is not', null)
          .where('dms.dm_id', '<>', dmId)
          .$narrowType<{ icon: NotNull }>(),
      )
      .where(({ not, exists, selectFrom }) =>
        not(
          exists(
            selectFrom('message_attachments')
              .select('msg_id')
              .whereRef('message_attachments.file_id', '=', 'files.file_id'),
          ),
        ),
      )
      .where(({ not, exists, selectFrom }) =>
        not(
          exists(
            selectFrom('users')
              .select('user_id')
              .whereRef('user_id', '=', 'uploader_id')
              .whereRef('users.avatar', '=', 'files.url'),
          ),
        ),
      )
      .returning('file_id')
      .execute()
    job.afterCommit(() => {
      for (const { file_id } of deleted) void this.#discard(file_id)
    })
  }

  async #rowFor({ content, name, mime, uploaderId, home }: NewFile): Promise<FileRow> {
    const { config, clock } = this.#context
    const file_id = randomBytes(16).toString('base64url')
    const size = await dimensionsOf(mime, content)
    return {
      file_id,
      name,
      size: content.size,
      mime,
      url: urlOf(config, file_id),
      uploader_id: uploaderId,
      feed_id: null,
      dm_id: null,
      ...home,
      created_at: clock.now(),
      width: size?.width ?? null,
      height: size?.height ?? null,
    }
  }

  /** Feeds and conversations can go, and somebody be gone from them, while a file is on its way. */
  async #checkHome(job: Work, { feed_id, dm_id, uploader_id }: FileRow): Promise<void> {
    if (feed_id !== null && !this.#context.community.layout.feeds.has(feed_id)) throw new ApiError('SPACE_NOT_FOUND')
    if (dm_id !== null && !(await takesPart(job.db, uploader_id, dm_id))) throw new ApiError('NOT_DM_PARTICIPANT')
  }

  async #discard(fileId: string): Promise<void> {
    const { storage, log } = this.#context
    await storage
      .delete(fileId)
      .catch((err) => log.warn({ err, file: fileId }, 'deleting a stored object failed; the clean-up tries again'))
  }
}
