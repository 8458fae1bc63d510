import { createReadStream } from 'node:fs'
import type { Readable } from 'node:stream'
import {
  DeleteObjectCommand,
  GetObjectCommand,
  HeadObjectCommand,
  PutObjectCommand,
  paginateListObjectsV2,
  S3Client,
  S3ServiceException,
} from '@aws-sdk/client-s3'
import type { SpooledFile } from './spool.ts'
import { assertKey, type ByteRange, isKey, type ObjectFacts, type Storage } from './storage.ts'

/** Where the bucket is and who we are there. */
export interface S3Options {
  bucket: string
  region: string
  /** URL of a compatible service; undefined is AWS. */
  endpoint: string | undefined
  /** Undefined: whatever the platform provides. */
  credentials: { accessKeyId: string; secretAccessKey: string } | undefined
}

/** Downloads hold a connection for as long as their readers take. */
const MAX_CONNECTIONS = 500
const CONNECT_TIMEOUT_MS = 5000

const silence = () => {}
const SILENT = { debug: silence, info: silence, warn: silence, error: silence }

/** Objects of one bucket of an S3-compatible service. */
export class S3Storage implements Storage {
  readonly #client: S3Client
  readonly #bucket: string

  constructor({ bucket, region, endpoint, credentials }: S3Options) {
    const agent = { maxSockets: MAX_CONNECTIONS }
    this.#bucket = bucket
    this.#client = new S3Client({
      region,
      requestHandler: { connectionTimeout: CONNECT_TIMEOUT_MS, httpAgent: agent, httpsAgent: agent },
      // Unasked, it writes to standard error what it throws anyway.
      logger: SILENT,
      // Checksums that not every compatible service understands are left out.
      requestChecksumCalculation: 'WHEN_REQUIRED',
      responseChecksumValidation: 'WHEN_REQUIRED',
      ...(endpoint !== undefined && { endpoint, forcePathStyle: true }),
      ...(credentials && { credentials }),
    })
  }

  /** `Content-Disposition` keeps a browser from rendering what a public bucket serves without us. */
  async put(key: string, file: SpooledFile, mime: string): Promise<void> {
    await this.#client.send(
      new PutObjectCommand({
        ...this.#object(key),
        Body: createReadStream(file.path),
        ContentLength: file.size,
        ContentType: mime,
        ContentDisposition: 'attachment',
      }),
    )
  }

  async get(key: string, range?: ByteRange): Promise<Readable | undefined> {
    const wanted = range && { Range: `bytes=${range.start}-${range.end}` }
    const found = await orMissing(this.#client.send(new GetObjectCommand({ ...this.#object(key), ...wanted })))
    return found?.Body as Readable | undefined
  }

  async facts(key: string): Promise<ObjectFacts | undefined> {
    const found = await orMissing(this.#client.send(new HeadObjectCommand(this.#object(key))))
    return found && { storedAt: found.LastModified?.getTime() ?? 0 }
  }

  async delete(key: string): Promise<void> {
    await this.#client.send(new DeleteObjectCommand(this.#object(key)))
  }

  async *keys(): AsyncGenerator<string> {
    for await (const page of paginateListObjectsV2({ client: this.#client }, { Bucket: this.#bucket }))
      for (const { Key = '' } of page.Contents ?? []) if (isKey(Key)) yield Key
  }

  close(): void {
    this.#client.destroy()
  }

  #object(key: string): { Bucket: string; Key: string } {
    assertKey(key)
    return { Bucket: this.#bucket, Key: key }
  }
}

async function orMissing<T>(result: Promise<T>): Promise<T | undefined> {
  try {
    return await result
  } catch (error) {
    if (error instanceof S3ServiceException && (error.name === 'NoSuchKey' || error.name === 'NotFound'))
      return undefined
    throw error
  }
}
