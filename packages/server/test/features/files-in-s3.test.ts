import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { readdirSync } from 'node:fs'
import path from 'node:path'
import { describe, it } from 'node:test'
import { createFeed } from '../support/community.ts'
import { sqlite } from '../support/engines.ts'
import { filePart, postForm, uploadText } from '../support/forms.ts'
import { keepingLog } from '../support/log.ts'
import { startS3 } from '../support/s3.ts'
import { type Client, failure, startTestServer, type TestServer } from '../support/server.ts'
import { countRows } from '../support/sql.ts'
import { TcpProxy } from '../support/tcp-proxy.ts'

const LARGE = 5_000_000

async function administrator(server: TestServer) {
  const ada = await server.register('ada')
  return { ada, feed: await createFeed(ada) }
}

const upload = (client: Client, feed: number, content: string | Buffer) =>
  postForm(client, `/feeds/${feed}/files`, filePart(content, { type: 'application/octet-stream' }))

const incoming = (server: TestServer) => readdirSync(path.join(server.storagePath, 'incoming'))

/** The bytes of a download, or of a part of it. */
async function download({ url, token }: Client, file: string, headers: Record<string, string> = {}): Promise<Buffer> {
  const answer = await fetch(`${url}/api/v1/files/${file}`, {
    headers: { authorization: `Bearer ${token}`, ...headers },
  })
  return Buffer.from(await answer.arrayBuffer())
}

/** A server whose way to its bucket may break. */
async function behindBadNetwork() {
  await using opened = new AsyncDisposableStack()
  const bucket = opened.use(await startS3())
  const { port } = new URL(bucket.env.VOX_S3_ENDPOINT)
  const network = opened.use(await TcpProxy.start({ host: '127.0.0.1', port: Number(port) }))
  const env = { ...bucket.env, VOX_S3_ENDPOINT: `http://127.0.0.1:${network.port}` }
  const server = opened.use(await startTestServer(sqlite, { env }))
  const parts = opened.move()
  return { server, network, bucket, [Symbol.asyncDispose]: () => parts.disposeAsync() }
}

describe('a large file in a bucket', () => {
  it('comes back byte by byte, whole and in parts, to several at once', async () => {
    await using bucket = await startS3()
    await using server = await startTestServer(sqlite, { env: bucket.env })
    const { ada, feed } = await administrator(server)
    const content = randomBytes(LARGE)
    const { body } = await upload(ada, feed, content)
    assert.equal((await bucket.head(body.file_id)).ContentLength, LARGE)
    const ranges: [number, number][] = [
      [0, 0],
      [65_535, 65_536],
      [1_000_000, 4_000_000],
      [LARGE - 1, LARGE - 1],
    ]
    const parts = await Promise.all([
      download(ada, body.file_id),
      ...ranges.map(([first, last]) => download(ada, body.file_id, { range: `bytes=${first}-${last}` })),
    ])
    const expected = [content, ...ranges.map(([first, last]) => content.subarray(first, last + 1))]
    for (const [at, part] of parts.entries()) assert.ok(expected[at]?.equals(part))
  })

  it('ends where the connection to the bucket does; the next download is whole', async () => {
    await using opened = await behindBadNetwork()
    const { server, network } = opened
    const { ada, feed } = await administrator(server)
    const content = randomBytes(LARGE)
    const { body } = await upload(ada, feed, content)
    let passed = 0
    network.fromServer = (chunk) => {
      passed += chunk.length
      return passed < LARGE / 2
    }
    await assert.rejects(download(ada, body.file_id))
    network.fromServer = () => true
    assert.ok(content.equals(await download(ada, body.file_id)))
  })

  it('that did not arrive in the bucket leaves nothing behind', async () => {
    await using opened = await behindBadNetwork()
    const { server, network, bucket } = opened
    const { ada, feed } = await administrator(server)
    let passed = 0
    network.fromClient = (chunk) => {
      passed += chunk.length
      if (passed < LARGE / 2) return true
      passed = 0
      return false
    }
    assert.equal(failure(await upload(ada, feed, randomBytes(LARGE))), '500 INTERNAL_ERROR')
    assert.deepEqual(incoming(server), [])
    assert.deepEqual(await countRows(server.databaseUrl, 'select 1 from files'), [0])
    assert.deepEqual(await Array.fromAsync(bucket.storage().keys()), [])
  })
})

describe('a file in a bucket', () => {
  it('is missing when its object is', async () => {
    await using bucket = await startS3()
    await using server = await startTestServer(sqlite, { env: bucket.env })
    const { ada, feed } = await administrator(server)
    const id = await uploadText(ada, feed)
    await bucket.storage().delete(id)
    assert.equal(failure(await ada.get(`/files/${id}`)), '404 FILE_NOT_FOUND')
    assert.equal(failure(await ada.get(`/files/${id}`, { range: 'bytes=0-1' })), '404 FILE_NOT_FOUND')
    assert.equal((await ada.request('HEAD', `/files/${id}`)).status, 404)
  })
})

describe('the keys of a bucket', () => {
  it('stand in no answer and in no line of the log, also when the bucket refuses them', async () => {
    await using bucket = await startS3()
    const { log, records } = keepingLog()
    const [access, secret] = ['AKIANOBODYKNOWS', 'a-secret-that-stays-here']
    const env = { ...bucket.env, VOX_S3_ACCESS_KEY: access, VOX_S3_SECRET_KEY: secret }
    await using server = await startTestServer(sqlite, { env, log })
    const { ada, feed } = await administrator(server)
    const answer = await upload(ada, feed, 'x')
    assert.equal(failure(answer), '500 INTERNAL_ERROR')
    const told = JSON.stringify([answer.body, records])
    assert.match(told, /"level":"error"/)
    for (const word of [access, secret, 'AWS4-HMAC']) assert.ok(!told.includes(word), word)
    assert.deepEqual([incoming(server), await countRows(server.databaseUrl, 'select 1 from files')], [[], [0]])
  })
})
