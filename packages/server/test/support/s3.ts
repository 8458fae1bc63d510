import { HeadObjectCommand, PutObjectCommand, S3Client } from '@aws-sdk/client-s3'
import S3rver from 's3rver'
import { S3Storage } from '../../src/storage/s3.ts'
import { freshPath } from './folder.ts'

const BUCKET = 'vox-test'
const KEYS = { accessKeyId: 'S3RVER', secretAccessKey: 'S3RVER' }

/** An S3-compatible service on the loopback interface, with one empty bucket. */
export async function startS3() {
  const server = new S3rver({
    address: '127.0.0.1',
    port: 0,
    silent: true,
    directory: freshPath(),
    configureBuckets: [{ name: BUCKET, configs: [] }],
  })
  const { port } = await server.run()
  const endpoint = `http://127.0.0.1:${port}`
  const client = new S3Client({ endpoint, region: 'us-east-1', forcePathStyle: true, credentials: KEYS })
  const storages: S3Storage[] = []
  const close = async () => {
    for (const storage of storages) storage.close()
    client.destroy()
    await server.close()
  }
  return {
    /** The settings of a server that keeps its files here. */
    env: {
      VOX_STORAGE_BACKEND: 's3',
      VOX_S3_ENDPOINT: endpoint,
      VOX_S3_BUCKET: BUCKET,
      VOX_S3_ACCESS_KEY: KEYS.accessKeyId,
      VOX_S3_SECRET_KEY: KEYS.secretAccessKey,
    },
    storage(bucket = BUCKET): S3Storage {
      const storage = new S3Storage({ bucket, region: 'us-east-1', endpoint, credentials: KEYS })
      storages.push(storage)
      return storage
    },
    head: (Key: string) => client.send(new HeadObjectCommand({ Bucket: BUCKET, Key })),
    write: (Key: string, Body: string) => client.send(new PutObjectCommand({ Bucket: BUCKET, Key, Body })),
    close,
    [Symbol.asyncDispose]: close,
  }
}
