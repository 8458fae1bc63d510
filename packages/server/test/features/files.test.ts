import assert from 'node:assert/strict'
import { readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { after, describe, it } from 'node:test'
import { type PermissionName, permissionSet } from '@vox/protocol'
import { createFeed, grant, registerAll } from '../support/community.ts'
import { forEachEngine, sqlite } from '../support/engines.ts'
import { FORM_TYPE, filePart, formBody, postForm, type TestPart, uploadText } from '../support/forms.ts'
import { GatewayClient } from '../support/gateway-client.ts'
import { startS3 } from '../support/s3.ts'
import { type Client, failure, startTestServer, type TestServer } from '../support/server.ts'
import { countRows } from '../support/sql.ts'

/** An administrator, two members who may upload, and an open and a hidden feed. */
async function community(server: TestServer) {
  const [ada, bob, cid] = await registerAll(server, 'ada', 'bob', 'cid')
  for (const member of [bob, cid]) await grant(ada, member, ['ATTACH_FILES'])
  const open = await createFeed(ada)
  const hidden = await createFeed(ada, { hidden: true })
  return { ada, bob, cid, open, hidden }
}

/** Changes what a user may do in a feed. */
async function override(
  admin: Client,
  feedId: number,
  { userId }: { userId: number },
  { allow = [], deny = [] }: { allow?: PermissionName[]; deny?: PermissionName[] },
) {
  const answer = await admin.put(`/feeds/${feedId}/permissions/user/${userId}`, {
    allow: permissionSet(...allow),
    deny: permissionSet(...deny),
  })
  assert.equal(answer.status, 204)
}

const upload = (client: Client, feedId: number, ...parts: TestPart[]) =>
  postForm(client, `/feeds/${feedId}/files`, ...parts)

async function attach(client: Client, feedId: number, ...fileIds: string[]): Promise<bigint> {
  const { status, body } = await client.post(`/feeds/${feedId}/messages`, { attachments: fileIds })
  assert.equal(status, 201)
  return body.msg_id
}

const statusOf = async (client: Client, fileId: string) => (await client.get(`/files/${fileId}`)).status

/** Names of the stored objects, and of what is on its way there. */
const stored = (server: TestServer) => readdirSync(server.storagePath).filter((name) => name !== 'incoming')
const incoming = (server: TestServer) => readdirSync(join(server.storagePath, 'incoming'))

const PNG = Buffer.from('\x89PNG\r\n\x1a\n\0\0\0\x0dIHDR\0\0\x02\x80\0\0\x01\xe0\x08\x06\0\0\0', 'latin1')

forEachEngine('an uploaded file', (engine) => {
  it('is answered with all that is known of it, and its bytes come back unchanged', async () => {
    await using server = await startTestServer(engine)
    const { bob, open } = await community(server)
    const gateway = await GatewayClient.connect(server, bob)
    const { status, body } = await upload(bob, open, filePart('hello world'))
    assert.equal(status, 201)
    const { file_id, created_at, ...rest } = body
    assert.match(file_id, /^[\w-]{22}$/)
    assert.ok(Math.abs(created_at - Date.now() / 1000) < 10)
    assert.deepEqual(rest, {
      name: 'file.txt',
      size: 11,
      mime: 'text/plain',
      url: `/api/v1/files/${file_id}`,
      uploader_id: bob.userId,
      width: null,
      height: null,
    })
    const read = await bob.raw('GET', body.url)
    assert.deepEqual([read.status, read.body], [200, 'hello world'])
    assert.deepEqual(stored(server), [file_id])
    assert.deepEqual(incoming(server), [])
    assert.deepEqual(await gateway.told(), [])
  })

  it('belongs to its uploader until it is attached, then to those who see one of its messages', async () => {
    await using server = await startTestServer(engine)
    const { ada, bob, cid, open, hidden } = await community(server)
    const id = await uploadText(ada, open)
    const statuses = async () => [await statusOf(ada, id), await statusOf(bob, id), await statusOf(cid, id)]
    assert.deepEqual(await statuses(), [200, 403, 403])
    assert.equal(failure(await bob.get(`/files/${id}`)), '403 FORBIDDEN')
    await attach(ada, hidden, id)
    assert.deepEqual(await statuses(), [200, 403, 403])
    await override(ada, hidden, bob, { allow: ['VIEW_SPACE'] })
    assert.deepEqual(await statuses(), [200, 200, 403])
    const message = await attach(ada, open, id)
    assert.deepEqual(await statuses(), [200, 200, 200])
    await ada.delete(`/feeds/${open}/messages/${message}`)
    assert.deepEqual(await statuses(), [200, 200, 403])
    await ada.delete(`/feeds/${hidden}`)
    assert.deepEqual(await statuses(), [200, 403, 403])
  })

  it('is lost from sight for an uploader who lost sight of the only place that shows it', async () => {
    await using server = await startTestServer(engine)
    const { ada, bob, open } = await community(server)
    const id = await uploadText(bob, open)
    await attach(bob, open, id)
    await override(ada, open, bob, { deny: ['VIEW_SPACE'] })
    assert.equal(await statusOf(bob, id), 403)
  })

  it('is for every member while it is the avatar of its uploader or the icon of the server', async () => {
    await using server = await startTestServer(engine)
    const { ada, bob, cid, open, hidden } = await community(server)
    const avatar = await uploadText(bob, open)
    await cid.patch('/users/@me', { avatar: `/api/v1/files/${avatar}` })
    assert.equal(await statusOf(cid, avatar), 403)
    await bob.patch('/users/@me', { avatar: `/api/v1/files/${avatar}` })
    assert.equal(await statusOf(cid, avatar), 200)
    const icon = await uploadText(bob, open)
    assert.equal(await statusOf(cid, icon), 403)
    await ada.patch('/server', { icon: `/api/v1/files/${icon}` })
    assert.equal(await statusOf(cid, icon), 200)
    const shown = await uploadText(ada, open)
    await ada.patch('/users/@me', { avatar: `/api/v1/files/${shown}` })
    await attach(ada, hidden, shown)
    assert.equal(await statusOf(cid, shown), 403)
  })

  it('is deleted by its uploader, with its bytes; messages stay', async () => {
    await using server = await startTestServer(engine)
    const { bob, cid, open } = await community(server)
    const id = await uploadText(bob, open)
    const message = await attach(bob, open, id)
    assert.equal(failure(await cid.delete(`/files/${id}`)), '403 FORBIDDEN')
    assert.equal((await bob.delete(`/files/${id}`)).status, 204)
    assert.equal(failure(await bob.delete(`/files/${id}`)), '404 FILE_NOT_FOUND')
    assert.equal(failure(await bob.get(`/files/${id}`)), '404 FILE_NOT_FOUND')
    assert.deepEqual((await bob.get(`/feeds/${open}/messages/${message}`)).body.attachments, [])
    assert.deepEqual(stored(server), [])
  })

  it('leaves the messages that show others too, which keep their order', async () => {
    await using server = await startTestServer(engine)
    const { bob, cid, open } = await community(server)
    const [first, gone, last] = [await uploadText(bob, open), await uploadText(bob, open), await uploadText(bob, open)]
    const [several, alone] = [await attach(bob, open, last, gone, first), await attach(bob, open, gone)]
    const { body: before } = await cid.get(`/feeds/${open}/messages/${several}`)
    assert.equal((await bob.delete(`/files/${gone}`)).status, 204)
    const { body: after } = await cid.get(`/feeds/${open}/messages/${several}`)
    assert.deepEqual(after.attachments, [before.attachments[0], before.attachments[2]])
    const found = async (query: string) => (await cid.get(`/messages/search?q=&${query}`)).body.results
    assert.deepEqual(
      (await found('has_file=true')).map(({ msg_id }: { msg_id: bigint }) => msg_id),
      [several],
    )
    assert.deepEqual(
      (await found('has_file=false')).map(({ msg_id }: { msg_id: bigint }) => msg_id),
      [alone],
    )
    const emptied = await bob.patch(`/feeds/${open}/messages/${alone}`, { body: '' })
    assert.equal(failure(emptied), '400 EMPTY_MESSAGE')
  })

  it('is deleted by moderators of every place that shows it', async () => {
    await using server = await startTestServer(engine)
    const { ada, bob, cid, open } = await community(server)
    const other = await createFeed(ada)
    const [attached, loose] = [await uploadText(bob, open), await uploadText(bob, open)]
    await attach(bob, open, attached)
    await attach(bob, other, attached)
    await override(ada, open, cid, { allow: ['MANAGE_MESSAGES'] })
    assert.equal(failure(await cid.delete(`/files/${attached}`)), '403 FORBIDDEN')
    assert.equal(failure(await cid.delete(`/files/${loose}`)), '403 FORBIDDEN')
    await override(ada, other, cid, { allow: ['MANAGE_MESSAGES'] })
    assert.equal((await cid.delete(`/files/${attached}`)).status, 204)
    await grant(ada, cid, ['MANAGE_MESSAGES'])
    assert.equal((await cid.delete(`/files/${loose}`)).status, 204)
  })

  it('outlives its feed', async () => {
    await using server = await startTestServer(engine)
    const { ada, bob, open } = await community(server)
    const id = await uploadText(bob, open)
    await attach(bob, open, id)
    assert.equal((await ada.delete(`/feeds/${open}`)).status, 204)
    assert.deepEqual([await statusOf(bob, id), await statusOf(ada, id)], [200, 403])
    assert.deepEqual(await countRows(server.databaseUrl, 'select 1 from message_attachments'), [0])
  })

  it('is missing when its bytes are', async () => {
    await using server = await startTestServer(engine)
    const { bob, open } = await community(server)
    const id = await uploadText(bob, open)
    rmSync(join(server.storagePath, id))
    const path = `/files/${id}`
    for (const answer of [
      await bob.get(path),
      await bob.get(path, { accept: 'application/json' }),
      await bob.get(path, { 'if-none-match': '*' }),
      await bob.get(path, { range: 'bytes=500-' }),
    ])
      assert.equal(failure(answer), '404 FILE_NOT_FOUND')
    assert.equal((await bob.request('HEAD', path)).status, 404)
    assert.equal((await bob.delete(path)).status, 204)
  })
})

forEachEngine('attachments', (engine) => {
  it('stand in the message, in history and in the event, in the order in which they were given', async () => {
    await using server = await startTestServer(engine)
    const { bob, cid, open } = await community(server)
    const gateway = await GatewayClient.connect(server, cid)
    const [first, second] = [await uploadText(bob, open, 'first'), await uploadText(bob, open, 'second')]
    const { body: sent } = await bob.post(`/feeds/${open}/messages`, {
      body: 'x',
      attachments: [second, first, second],
    })
    await bob.post(`/feeds/${open}/messages`, { body: 'plain' })
    const { body: read } = await cid.get(`/feeds/${open}/messages/${sent.msg_id}`)
    const ids = (files: { file_id: string }[]) => files.map(({ file_id }) => file_id)
    assert.deepEqual(ids(read.attachments), [second, first])
    assert.deepEqual(read.attachments[0], (await cid.get(`/files/${second}`, { accept: 'application/json' })).body)
    const { body: page } = await cid.get(`/feeds/${open}/messages`)
    assert.deepEqual(
      page.messages.map(({ attachments }: { attachments: [] }) => ids(attachments)),
      [[], [second, first]],
    )
    const [[type, event] = [], [, plain] = []] = await gateway.told()
    assert.equal(type, 'message_create')
    const { attachments } = event as { attachments: { file_id: string }[] }
    assert.deepEqual(attachments[0], {
      file_id: second,
      name: 'file.txt',
      size: 6,
      mime: 'text/plain',
      url: `/api/v1/files/${second}`,
    })
    assert.deepEqual(ids(attachments), [second, first])
    assert.ok(!Object.hasOwn(plain as object, 'attachments'))
  })

  it('are content enough for a message, in threads too, also when it is edited', async () => {
    await using server = await startTestServer(engine)
    const { bob, open } = await community(server)
    const id = await uploadText(bob, open)
    const message = await attach(bob, open, id)
    assert.equal((await bob.patch(`/feeds/${open}/messages/${message}`, { body: '' })).status, 200)
    const { body: thread } = await bob.post(`/feeds/${open}/threads`, { parent_msg_id: message, name: 'tea' })
    const inThread = await bob.post(`/feeds/${open}/threads/${thread.thread_id}/messages`, { attachments: [id] })
    assert.equal(inThread.status, 201)
    assert.equal(failure(await bob.post(`/feeds/${open}/messages`, { attachments: [] })), '400 EMPTY_MESSAGE')
  })

  it('are at most ten files that exist', async () => {
    await using server = await startTestServer(engine)
    const { bob, open } = await community(server)
    const id = await uploadText(bob, open)
    const send = async (...attachments: unknown[]) =>
      failure(await bob.post(`/feeds/${open}/messages`, { body: 'x', attachments }))
    assert.equal(await send(...Array.from({ length: 11 }, (_, at) => String(at))), '422 VALIDATION_ERROR')
    assert.equal(await send(5), '422 VALIDATION_ERROR')
    assert.equal(await send(id, 'unknown'), '400 INVALID_ATTACHMENT')
    assert.equal(await send(`${id}/../x`), '400 INVALID_ATTACHMENT')
    assert.deepEqual((await bob.get(`/feeds/${open}/messages`)).body.messages, [])
    await attach(bob, open, ...Array(11).fill(id))
    await attach(bob, open, ...(await Promise.all(Array.from({ length: 10 }, () => uploadText(bob, open)))))
  })

  it('of others may be attached again only in their own feed, by those who see them already', async () => {
    await using server = await startTestServer(engine)
    const { ada, bob, cid, open, hidden } = await community(server)
    const other = await createFeed(ada)
    const send = async (client: Client, feed: number, id: string) =>
      failure(await client.post(`/feeds/${feed}/messages`, { attachments: [id] }))
    const id = await uploadText(ada, open)
    assert.equal(await send(cid, open, id), '403 FORBIDDEN')
    const { msg_id: parent_msg_id } = (await ada.post(`/feeds/${open}/messages`, { body: 'x' })).body
    const { thread_id } = (await ada.post(`/feeds/${open}/threads`, { parent_msg_id, name: 'tea' })).body
    const inThread = async (file: string) =>
      failure(await cid.post(`/feeds/${open}/threads/${thread_id}/messages`, { body: 'x', attachments: [file] }))
    assert.deepEqual([await inThread(id), await inThread('unknown')], ['403 FORBIDDEN', '400 INVALID_ATTACHMENT'])
    assert.deepEqual((await cid.get(`/feeds/${open}/threads/${thread_id}/messages`)).body.messages, [])
    await attach(ada, hidden, id)
    assert.equal(await send(cid, open, id), '403 FORBIDDEN')
    await attach(ada, open, id)
    assert.equal(await send(cid, other, id), '403 FORBIDDEN')
    await attach(cid, open, id)
    await attach(ada, other, id)
    assert.equal(await send(bob, open, id), '201 undefined')
  })

  it('need the permission where they are shown', async () => {
    await using server = await startTestServer(engine)
    const { ada, bob, open } = await community(server)
    const closed = await createFeed(ada)
    const id = await uploadText(bob, open)
    await override(ada, closed, bob, { deny: ['ATTACH_FILES'] })
    const refused = await bob.post(`/feeds/${closed}/messages`, { body: 'x', attachments: [id] })
    assert.equal(failure(refused), '403 MISSING_PERMISSIONS')
    assert.equal(refused.body.error.missing_permission, 'attach_files')
    assert.equal((await bob.post(`/feeds/${closed}/messages`, { body: 'x', attachments: [] })).status, 201)
  })
})

forEachEngine('an upload', (engine) => {
  it('needs the permission in a feed that exists, whatever is sent', async () => {
    await using server = await startTestServer(engine)
    const { ada, bob, open } = await community(server)
    const dan = await server.register('dan')
    assert.equal(failure(await upload(dan, open, filePart('x'))), '403 MISSING_PERMISSIONS')
    assert.equal(failure(await dan.post(`/feeds/${open}/files`, {})), '403 MISSING_PERMISSIONS')
    assert.equal(failure(await upload(dan, 99, filePart('x'))), '403 MISSING_PERMISSIONS')
    assert.equal(failure(await upload(bob, 99, filePart('x'))), '404 SPACE_NOT_FOUND')
    await override(ada, open, bob, { deny: ['ATTACH_FILES'] })
    assert.equal(failure(await upload(bob, open, filePart('x'))), '403 MISSING_PERMISSIONS')
    assert.equal(failure(await upload(server.visitor, open, filePart('x'))), '422 VALIDATION_ERROR')
    assert.deepEqual([stored(server), incoming(server)], [[], []])
  })

  it('of exactly the limit passes, one byte more does not and leaves nothing behind', async () => {
    await using server = await startTestServer(engine, { env: { VOX_LIMIT_FILE_UPLOAD_MAX_BYTES: '100000' } })
    const { bob, open } = await community(server)
    assert.equal((await upload(bob, open, filePart('x'.repeat(100_000)))).body.size, 100_000)
    const refused = await upload(bob, open, filePart('x'.repeat(100_001)))
    assert.equal(failure(refused), '413 FILE_TOO_LARGE')
    assert.match(refused.body.error.message, /100000/)
    assert.equal(failure(await upload(bob, open, filePart('x'.repeat(300_000)))), '413 FILE_TOO_LARGE')
    assert.equal(stored(server).length, 1)
    assert.deepEqual(incoming(server), [])
  })

  it('may be empty', async () => {
    await using server = await startTestServer(engine)
    const { bob, open } = await community(server)
    const { status, body } = await upload(bob, open, filePart(''))
    assert.deepEqual([status, body.size], [201, 0])
    const read = await bob.get(`/files/${body.file_id}`)
    assert.deepEqual([read.status, read.body, read.headers.get('content-length')], [200, '', '0'])
    assert.equal((await bob.get(`/files/${body.file_id}`, { range: 'bytes=0-' })).status, 416)
  })
})

describe('an upload', () => {
  const server = startTestServer(sqlite)
  const people = server.then(community)

  it('is named by its form or its file, and harmlessly', async () => {
    const { bob, open } = await people
    const name = async (...parts: TestPart[]) => (await upload(bob, open, ...parts)).body.name
    const named = (content: string): TestPart => ({ name: 'name', content })
    assert.equal(await name(filePart('x', { fileName: 'a.txt' }), named('b.txt')), 'b.txt')
    assert.equal(await name(named('b.txt'), filePart('x', { fileName: 'a.txt' })), 'b.txt')
    assert.equal(await name(named('b.txt'), named('c.txt'), filePart('x')), 'c.txt')
    assert.equal(await name(filePart('x', { fileName: '../../etc/passwd' })), '....etcpasswd')
    assert.equal(await name(named('a\r\nb\tc'), filePart('x')), 'abc')
    assert.equal(await name(named('😀'.repeat(300)), filePart('x')), '😀'.repeat(255))
    assert.equal(await name(filePart('x', { fileName: '' })), 'upload')
    const { fileName: _, ...nameless } = filePart('x')
    assert.equal(await name(nameless), 'upload')
  })

  it('by a browser keeps its name, whatever is in it', async () => {
    const { bob, open } = await people
    const form = new FormData()
    form.set('file', new File(['x'], 'Ünï "x".txt', { type: 'text/plain' }))
    const response = await fetch(`${bob.url}/api/v1/feeds/${open}/files`, {
      method: 'POST',
      headers: { authorization: `Bearer ${bob.token}` },
      body: form,
    })
    const { file_id, name } = (await response.json()) as { file_id: string; name: string }
    assert.equal(name, 'Ünï "x".txt')
    const { headers } = await bob.get(`/files/${file_id}`)
    assert.equal(
      headers.get('content-disposition'),
      `attachment; filename="_n_ _x_.txt"; filename*=UTF-8''%C3%9Cn%C3%AF%20%22x%22.txt`,
    )
  })

  it('has the type of its content, else the declared one, else none in particular', async () => {
    const { bob, open } = await people
    const mime = async (...parts: TestPart[]) => (await upload(bob, open, ...parts)).body.mime
    const declared = (content: string): TestPart => ({ name: 'mime', content })
    assert.equal(await mime(filePart(PNG)), 'image/png')
    assert.equal(await mime(filePart('MZ', { type: 'image/png' })), 'application/x-msdownload')
    assert.equal(await mime(filePart('text', { type: 'application/pdf' })), 'application/pdf')
    assert.equal(await mime(filePart('text', { type: 'Text/HTML; charset=utf-8' })), 'text/html')
    assert.equal(await mime(filePart('text'), declared('text/csv')), 'text/csv')
    assert.equal(await mime(filePart('text'), declared('no type')), 'text/plain')
    assert.equal(await mime(filePart(PNG), declared('text/plain')), 'image/png')
    assert.equal(await mime(filePart('text', { type: 'nonsense' })), 'application/octet-stream')
    const { type: _, ...untyped } = filePart('text')
    assert.equal(await mime(untyped), 'application/octet-stream')
  })

  it('of a picture tells its size', async () => {
    const { bob, open } = await people
    const { body } = await upload(bob, open, filePart(PNG, { type: 'text/plain' }))
    assert.deepEqual([body.width, body.height], [640, 480])
    const junk = await upload(bob, open, filePart('\x89PNG and junk'))
    assert.deepEqual([junk.body.width, junk.body.height], [null, null])
  })

  it('is a form with a file', async () => {
    const { bob, open } = await people
    const path = `/api/v1/feeds/${open}/files`
    const send = async (type: string | undefined, body?: string | Buffer<ArrayBuffer>) =>
      failure(await bob.raw('POST', path, body, type === undefined ? {} : { 'content-type': type }))
    assert.equal(failure(await upload(bob, open)), '422 VALIDATION_ERROR')
    assert.equal(failure(await upload(bob, open, { name: 'name', content: 'x' })), '422 VALIDATION_ERROR')
    assert.equal(failure(await upload(bob, open, filePart('x', { name: 'image' }))), '422 VALIDATION_ERROR')
    assert.equal(await send('application/json', '{}'), '422 VALIDATION_ERROR')
    assert.equal(await send('multipart/form-data', formBody(filePart('x'))), '422 VALIDATION_ERROR')
    assert.equal(await send(undefined), '422 VALIDATION_ERROR')
    assert.equal(await send(FORM_TYPE), '422 VALIDATION_ERROR')
    assert.equal(await send(FORM_TYPE, 'no form'), '422 VALIDATION_ERROR')
    assert.equal(await send(FORM_TYPE, formBody(filePart('x')).subarray(0, -20)), '422 VALIDATION_ERROR')
    const broken = await upload(bob, open, filePart('x'), { name: 'name', content: Buffer.from([0xff]) })
    assert.equal(failure(broken), '422 VALIDATION_ERROR')
    assert.equal(
      failure(await upload(bob, open, filePart('x'), { name: 'name', content: 'a\0b' })),
      '422 VALIDATION_ERROR',
    )
    assert.deepEqual(incoming(await server), [])
  })

  it('may have other parts within bounds', async () => {
    const { bob, open } = await people
    const field = (name: string, length: number): TestPart => ({ name, content: 'x'.repeat(length) })
    assert.equal((await upload(bob, open, field('name', 8192), filePart('x'))).status, 201)
    assert.equal(failure(await upload(bob, open, field('name', 8193), filePart('x'))), '413 PAYLOAD_TOO_LARGE')
    assert.equal(failure(await upload(bob, open, filePart('x'), field('more', 8193))), '413 PAYLOAD_TOO_LARGE')
    const other = filePart('y'.repeat(50_000), { name: 'other' })
    assert.equal((await upload(bob, open, other, filePart('x'))).body.size, 1)
    const twice = await upload(bob, open, filePart('first'), filePart('second one'))
    assert.deepEqual([twice.status, twice.body.size], [201, 5])
    const many = Array.from({ length: 32 }, () => field('more', 1))
    assert.equal(failure(await upload(bob, open, filePart('x'), ...many)), '422 VALIDATION_ERROR')
    assert.deepEqual(incoming(await server), [])
  })

  it('is refused when its type is not allowed', async () => {
    await using strict = await startTestServer(sqlite, { env: { VOX_MEDIA_ALLOWED_FILE_MIMES: 'image/*,text/plain' } })
    const { bob, open } = await community(strict)
    const send = async (part: TestPart) => failure(await upload(bob, open, part))
    assert.equal(await send(filePart('x', { type: 'application/x-evil' })), '415 UNSUPPORTED_MEDIA_TYPE')
    assert.equal(await send(filePart('MZ', { type: 'image/png' })), '415 UNSUPPORTED_MEDIA_TYPE')
    assert.equal(await send(filePart(PNG, { type: 'application/x-evil' })), '201 undefined')
    assert.equal(await send(filePart('x')), '201 undefined')
    assert.equal(stored(strict).length, 2)
    assert.deepEqual(incoming(strict), [])
  })

  after(async () => (await server).close())
})

describe('files in a bucket', () => {
  it('are read and deleted as those in a folder are', async () => {
    await using bucket = await startS3()
    await using server = await startTestServer(sqlite, { env: bucket.env })
    const { bob, open } = await community(server)
    const { body } = await upload(bob, open, filePart('hello world', { type: 'text/html' }))
    assert.equal(body.url, `/api/v1/files/${body.file_id}`)
    const { ContentType, ContentDisposition } = await bucket.head(body.file_id)
    assert.deepEqual([ContentType, ContentDisposition], ['text/html', 'attachment'])
    assert.equal((await bob.raw('GET', body.url)).body, 'hello world')
    assert.equal((await bob.get(`/files/${body.file_id}`, { range: 'bytes=-5' })).body, 'world')
    assert.equal((await bob.request('HEAD', `/files/${body.file_id}`)).headers.get('content-length'), '11')
    assert.equal((await bob.delete(`/files/${body.file_id}`)).status, 204)
    await assert.rejects(bucket.head(body.file_id))
    assert.deepEqual([stored(server), incoming(server)], [[], []])
  })

  it('have public addresses where there are such', async () => {
    await using bucket = await startS3()
    const env = { ...bucket.env, VOX_S3_PUBLIC_URL: 'https://cdn.example.org/vox/' }
    await using server = await startTestServer(sqlite, { env })
    const { bob, cid, open } = await community(server)
    const { body } = await upload(bob, open, filePart('x'))
    assert.equal(body.url, `https://cdn.example.org/vox/${body.file_id}`)
    assert.deepEqual([await statusOf(bob, body.file_id), await statusOf(cid, body.file_id)], [200, 403])
    await bob.patch('/users/@me', { avatar: body.url })
    assert.equal(await statusOf(cid, body.file_id), 200)
  })

  it('are not accepted while it cannot be used', async () => {
    const bucket = await startS3()
    await using server = await startTestServer(sqlite, { env: bucket.env })
    const { bob, open } = await community(server)
    const id = await uploadText(bob, open)
    await bucket.close()
    assert.equal(failure(await upload(bob, open, filePart('x'))), '500 INTERNAL_ERROR')
    assert.equal(failure(await bob.get(`/files/${id}`)), '500 INTERNAL_ERROR')
    assert.equal((await bob.delete(`/files/${id}`)).status, 204)
    assert.deepEqual(incoming(server), [])
  })
})
