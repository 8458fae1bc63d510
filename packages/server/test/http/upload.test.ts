import assert from 'node:assert/strict'
import { readdirSync } from 'node:fs'
import { type ClientRequest, type IncomingMessage, request } from 'node:http'
import { join } from 'node:path'
import { json } from 'node:stream/consumers'
import { describe, it } from 'node:test'
import { createFeed } from '../support/community.ts'
import { sqlite } from '../support/engines.ts'
import { eventually } from '../support/eventually.ts'
import { FORM_TYPE, filePart, formBody, uploadText } from '../support/forms.ts'
import { type Client, startTestServer, type TestServer } from '../support/server.ts'
import { countRows } from '../support/sql.ts'

const LIMIT = 100_000
const small = { env: { VOX_LIMIT_FILE_UPLOAD_MAX_BYTES: String(LIMIT) } }

async function administrator(server: TestServer) {
  const ada = await server.register('ada')
  return { ada, feed: await createFeed(ada) }
}

/** Begins an upload whose bytes the test sends itself. */
function begin(client: Client, feed: number, headers: Record<string, string | number> = {}): ClientRequest {
  return request(`${client.url}/api/v1/feeds/${feed}/files`, {
    method: 'POST',
    headers: {
      ...(client.token && { authorization: `Bearer ${client.token}` }),
      'content-type': FORM_TYPE,
      ...headers,
    },
  })
}

async function answerTo(upload: ClientRequest): Promise<{ status: number | undefined; code: string | undefined }> {
  const response = await new Promise<IncomingMessage>((resolve, reject) => {
    upload.on('response', resolve).on('error', reject)
  })
  const body = (await json(response)) as { error?: { code: string } }
  return { status: response.statusCode, code: body.error?.code }
}

const stored = (server: TestServer) => readdirSync(server.storagePath).filter((name) => name !== 'incoming')
const incoming = (server: TestServer) => readdirSync(join(server.storagePath, 'incoming'))

describe('an upload without a declared length', () => {
  it('passes up to the limit and is stopped beyond it', async () => {
    await using server = await startTestServer(sqlite, small)
    const { ada, feed } = await administrator(server)
    const send = (size: number) => {
      const upload = begin(ada, feed)
      const answer = answerTo(upload)
      const body = formBody(filePart('x'.repeat(size)))
      for (let at = 0; at < body.length; at += 10_000) upload.write(body.subarray(at, at + 10_000))
      upload.end()
      return answer
    }
    assert.deepEqual(await send(LIMIT), { status: 201, code: undefined })
    assert.deepEqual(await send(LIMIT + 1), { status: 413, code: 'FILE_TOO_LARGE' })
    assert.equal(stored(server).length, 1)
    assert.deepEqual(incoming(server), [])
  })

  it('does not go on for ever', async () => {
    await using server = await startTestServer(sqlite, small)
    const { ada, feed } = await administrator(server)
    const upload = begin(ada, feed)
    const answer = answerTo(upload)
    upload.write(formBody(filePart('x'.repeat(LIMIT))).subarray(0, LIMIT))
    const chunk = Buffer.alloc(1_000_000)
    let sent = 0
    const closed = new Promise<void>((resolve) => upload.on('close', resolve))
    const pump = () => {
      while (!upload.destroyed && upload.write(chunk)) sent++
      sent++
    }
    upload.on('drain', pump)
    pump()
    assert.deepEqual(await answer, { status: 413, code: 'FILE_TOO_LARGE' })
    await closed
    assert.ok(sent < 100)
    assert.deepEqual(incoming(server), [])
  })
})

describe('an upload with a declared length', () => {
  it('beyond the limit is refused before any of it is read', async () => {
    await using server = await startTestServer(sqlite, small)
    const { ada, feed } = await administrator(server)
    const upload = begin(ada, feed, { 'content-length': 50_000_000 })
    upload.flushHeaders()
    assert.deepEqual(await answerTo(upload), { status: 413, code: 'FILE_TOO_LARGE' })
    upload.destroy()
  })

  it('may exceed the limit of the file by the rest of the form', async () => {
    await using server = await startTestServer(sqlite, small)
    const { ada, feed } = await administrator(server)
    const other = filePart('y'.repeat(60_000), { name: 'other' })
    const send = (...parts: Parameters<typeof formBody>) => {
      const upload = begin(ada, feed)
      const answer = answerTo(upload)
      upload.end(formBody(...parts))
      return answer
    }
    assert.equal((await send(filePart('x'.repeat(LIMIT)), other)).status, 201)
    assert.deepEqual(await send(filePart('x'.repeat(LIMIT)), other, other), { status: 413, code: 'FILE_TOO_LARGE' })
    assert.deepEqual(await send(...Array(3).fill(other)), { status: 413, code: 'FILE_TOO_LARGE' })
  })
})

describe('an upload that is refused', () => {
  it('is refused in the order of the protocol, before its body is asked for', async () => {
    await using server = await startTestServer(sqlite, {
      env: { ...small.env, VOX_RATELIMIT_ENABLED: 'true', VOX_RATELIMIT_CHANNELS: '7:0.001' },
    })
    const { ada, feed } = await administrator(server)
    const bob = await server.register('bob')
    const refused = async (client: Client, headers: Record<string, string | number> = {}) => {
      const upload = begin(client, feed, headers)
      upload.flushHeaders()
      const { status, code } = await answerTo(upload)
      upload.destroy()
      return `${status} ${code}`
    }
    const huge = { 'content-length': 50_000_000 }
    assert.equal(await refused(server.visitor, huge), '413 FILE_TOO_LARGE')
    assert.equal(await refused(server.visitor), '422 VALIDATION_ERROR')
    assert.equal(await refused(server.visitor, { authorization: 'Bearer x' }), '401 AUTH_EXPIRED')
    assert.equal(await refused(bob), '403 MISSING_PERMISSIONS')
    assert.equal(await refused(ada, { 'content-type': 'application/json' }), '422 VALIDATION_ERROR')
    for (let left = 5; left > 0; left--) await uploadText(ada, feed).catch(() => {})
    assert.equal(await refused(ada, huge), '429 RATE_LIMITED')
  })

  it('leaves the connection usable', async () => {
    await using server = await startTestServer(sqlite, small)
    const { ada, feed } = await administrator(server)
    const bob = await server.register('bob')
    const body = formBody(filePart('x'.repeat(90_000)))
    for (let round = 0; round < 5; round++) {
      const headers = { 'content-type': FORM_TYPE }
      assert.equal((await bob.raw('POST', `/api/v1/feeds/${feed}/files`, body, headers)).status, 403)
      const broken = body.subarray(0, -10)
      assert.equal((await ada.raw('POST', `/api/v1/feeds/${feed}/files`, broken, headers)).status, 422)
      const malformed = Buffer.concat([Buffer.from('--a-boundary\r\nnonsense\r\n\r\n'), body])
      assert.equal((await ada.raw('POST', `/api/v1/feeds/${feed}/files`, malformed, headers)).status, 422)
      await uploadText(ada, feed)
    }
    assert.equal(stored(server).length, 5)
  })
})

describe('an upload that breaks off', () => {
  it('leaves neither bytes nor a row behind', async () => {
    await using server = await startTestServer(sqlite)
    const { ada, feed } = await administrator(server)
    const upload = begin(ada, feed, { 'content-length': 1_000_000 })
    upload.on('error', () => {})
    upload.write(formBody(filePart('x'.repeat(500_000))).subarray(0, 400_000))
    await eventually(async () => assert.equal(incoming(server).length, 1))
    upload.destroy()
    await eventually(async () => assert.deepEqual(incoming(server), []))
    assert.deepEqual(stored(server), [])
    assert.deepEqual(await countRows(server.databaseUrl, 'select 1 from files'), [0])
  })
})
