import path from 'node:path'
import type { Logger } from 'pino'
import type { Config } from '../config/config.ts'
import { LocalStorage } from './local.ts'
import { Spool } from './spool.ts'
import type { Storage } from './storage.ts'

/** The storage that the settings ask for. */
export async function openStorage(config: Config, log: Logger): Promise<Storage> {
  if (config.get('storage.backend') === 'local') return LocalStorage.open(config.get('storage.path'))
  if (config.get('storage.s3_public_url') !== null)
    log.warn('VOX_S3_PUBLIC_URL is set: whoever knows the address of a file can read it there without any permission')
  // The client of AWS is large, so servers without it do not load it.
  const { S3Storage } = await import('./s3.ts')
  return new S3Storage({
    bucket: config.get('storage.s3_bucket'),
    region: config.get('storage.s3_region'),
    endpoint: config.get('storage.s3_endpoint') ?? undefined,
    credentials: s3Credentials(config),
  })
}

function s3Credentials(config: Config) {
  const accessKeyId = config.get('storage.s3_access_key')
  const secretAccessKey = config.get('storage.s3_secret_key')
  return accessKeyId && secretAccessKey ? { accessKeyId, secretAccessKey } : undefined
}

/** The spool for uploads: in the storage folder, from where a local storage can move them without copying. */
export function openSpool(config: Config): Promise<Spool> {
  return Spool.open(path.join(config.get('storage.path'), 'incoming'))
}

/** The URL that is recorded with a file (spec 01, section 11). */
export function urlOf(config: Config, key: string): string {
  const publicUrl = config.get('storage.backend') === 's3' ? config.get('storage.s3_public_url') : null
  return publicUrl ? `${publicUrl.replace(/\/+$/, '')}/${key}` : `/api/v1/files/${key}`
}
