import assert from 'node:assert/strict'
import { readdirSync } from 'node:fs'
import { describe, it } from 'node:test'
import { auditTypes, createFeed, grant, lastAudit, registerAll } from '../support/community.ts'
import { forEachEngine, sqlite } from '../support/engines.ts'
import { postForm, type TestPart } from '../support/forms.ts'
import { GatewayClient } from '../support/gateway-client.ts'
import { startS3 } from '../support/s3.ts'
import { type Client, failure, startTestServer, type TestServer } from '../support/server.ts'
import { countRows, runSql } from '../support/sql.ts'

const PNG = Buffer.from('\x89PNG\r\n\x1a\n\0\0\0\x0dIHDR\0\0\0\x20\0\0\0\x20\x08\x06\0\0\0', 'latin1')
const APNG = Buffer.concat([PNG, Buffer.from('\0\0\0\0\0\0\0\x08acTL\0\0\0\x01\0\0\0\0', 'latin1')])

const image = (content: string | Buffer = PNG, type = 'image/png'): TestPart => ({
  name: 'image',
  fileName: 'wave.png',
  type,
  content,
})
const named = (content: string): TestPart => ({ name: 'name', content })

const stored = (server: TestServer) => readdirSync(server.storagePath).filter((name) => name !== 'incoming')
const fileOf = ({ image }: { image: string }) => image.slice('/api/v1'.length)

/** What is said of emoji here holds for stickers, and the other way round. */
const KINDS = [
  { kind: 'emoji', path: '/emoji', id: 'emoji_id', table: 'emoji', limit: 'EMOJI', most: 2000 },
  { kind: 'sticker', path: '/stickers', id: 'sticker_id', table: 'stickers', limit: 'STICKERS', most: 1000 },
] as const

for (const { kind, path, id, table, limit, most } of KINDS) {
  const add = (client: Client, name = 'wave', part = image()) => postForm(client, path, part, named(name))

  forEachEngine(`a custom ${kind}`, (engine) => {
    it('is added by those who may, announced to everybody and noted', async () => {
      await using server = await startTestServer(engine)
      const [ada, bob, cid] = await registerAll(server, 'ada', 'bob', 'cid')
      await grant(ada, bob, ['MANAGE_EMOJI'])
      const gateway = await GatewayClient.connect(server, cid)
      assert.equal(failure(await add(cid)), '403 MISSING_PERMISSIONS')
      assert.equal(failure(await postForm(cid, path)), '403 MISSING_PERMISSIONS')
      const { status, body } = await add(bob)
      assert.equal(status, 201)
      assert.match(body.image, /^\/api\/v1\/files\/[\w-]{22}$/)
      assert.deepEqual(body, { [id]: 1, name: 'wave', creator_id: bob.userId, image: body.image })
      assert.deepEqual(await gateway.told(), [[`${kind}_create`, body]])
      assert.deepEqual(await lastAudit(ada), [`${kind}.create`, bob.userId, 1, { name: 'wave' }])
      assert.deepEqual((await cid.get(path)).body, { items: [body], cursor: '1' })
    })

    it('has an image that every member sees and only its deletion removes', async () => {
      await using server = await startTestServer(engine)
      const [ada, bob] = await registerAll(server, 'ada', 'bob')
      const { body } = await add(ada)
      const read = await bob.get(fileOf(body))
      assert.deepEqual([read.status, read.headers.get('content-type')], [200, 'image/png'])
      const { body: file } = await bob.get(fileOf(body), { accept: 'application/json' })
      assert.deepEqual([file.name, file.width, file.height, file.uploader_id], ['wave.png', 32, 32, ada.userId])
      assert.equal(failure(await bob.delete(fileOf(body))), '403 FORBIDDEN')
      assert.equal(failure(await ada.delete(fileOf(body))), '400 INVALID_OPERATION')
      assert.equal((await ada.delete(`${path}/1`)).status, 204)
      assert.equal(failure(await ada.get(fileOf(body))), '404 FILE_NOT_FOUND')
      assert.deepEqual(stored(server), [])
    })

    it('has an image that only its uploader may attach, and everybody sees it all the same', async () => {
      await using server = await startTestServer(engine)
      const [ada, bob] = await registerAll(server, 'ada', 'bob')
      const hidden = await createFeed(ada, { hidden: true })
      const open = await createFeed(ada)
      const { body } = await add(ada)
      const file_id = body.image.split('/').at(-1)
      await grant(ada, bob, ['ATTACH_FILES'])
      const attach = async (client: Client, feed: number) =>
        failure(await client.post(`/feeds/${feed}/messages`, { attachments: [file_id] }))
      assert.equal(await attach(bob, open), '403 FORBIDDEN')
      assert.equal(await attach(ada, hidden), '201 undefined')
      assert.equal((await bob.get(fileOf(body))).status, 200)
      assert.equal((await ada.delete(`${path}/1`)).status, 204)
      const { messages } = (await ada.get(`/feeds/${hidden}/messages`)).body
      assert.deepEqual(messages[0].attachments, [])
    })

    it('is renamed', async () => {
      await using server = await startTestServer(engine)
      const [ada, bob] = await registerAll(server, 'ada', 'bob')
      const { body: wave } = await add(ada)
      await add(ada, 'smile')
      const gateway = await GatewayClient.connect(server, bob)
      assert.equal(failure(await bob.patch(`${path}/1`, { name: 'x' })), '403 MISSING_PERMISSIONS')
      assert.equal(failure(await bob.patch(`${path}/9`, { name: 'x' })), '403 MISSING_PERMISSIONS')
      const { status, body } = await ada.patch(`${path}/1`, { name: 'Wave' })
      assert.deepEqual([status, body], [200, { ...wave, name: 'Wave' }])
      assert.equal((await ada.patch(`${path}/1`, { name: 'Wave' })).status, 200)
      assert.deepEqual(await gateway.told(), [[`${kind}_update`, { [id]: 1, name: 'Wave' }]])
      assert.equal(failure(await ada.patch(`${path}/1`, { name: 'smile' })), '400 INVALID_OPERATION')
      assert.equal(failure(await ada.patch(`${path}/9`, { name: 'x' })), '404 SPACE_NOT_FOUND')
      for (const bad of [{}, { name: null }, { name: '' }, { name: 5 }, { name: 'x'.repeat(33) }])
        assert.equal(failure(await ada.patch(`${path}/1`, bad)), '422 VALIDATION_ERROR')
    })

    it('is deleted once, and its name is free again', async () => {
      await using server = await startTestServer(engine)
      const [ada, bob] = await registerAll(server, 'ada', 'bob')
      await add(ada)
      const gateway = await GatewayClient.connect(server, bob)
      assert.equal(failure(await bob.delete(`${path}/1`)), '403 MISSING_PERMISSIONS')
      assert.equal((await ada.delete(`${path}/1`)).status, 204)
      assert.equal(failure(await ada.delete(`${path}/1`)), '404 SPACE_NOT_FOUND')
      assert.deepEqual(await gateway.told(), [[`${kind}_delete`, { [id]: 1 }]])
      assert.deepEqual(await lastAudit(ada), [`${kind}.delete`, ada.userId, 1, { name: 'wave' }])
      assert.equal((await add(ada)).body[id], 2)
    })

    it('has a name of its own: taken names are refused and leave nothing behind', async () => {
      await using server = await startTestServer(engine)
      const ada = await server.register('ada')
      await add(ada)
      assert.equal(failure(await add(ada)), '400 INVALID_OPERATION')
      assert.equal((await add(ada, 'WAVE')).status, 201)
      const racing = await Promise.all(Array.from({ length: 5 }, () => add(ada, 'race')))
      assert.deepEqual(racing.map(({ status }) => status).sort(), [201, 400, 400, 400, 400])
      assert.equal(stored(server).length, 3)
      assert.equal((await auditTypes(ada)).filter((type) => type === `${kind}.create`).length, 3)
    })

    it(`is one of at most ${most}`, async () => {
      await using server = await startTestServer(engine)
      const ada = await server.register('ada')
      const numbers = `with recursive n(i) as (select 1 union all select i + 1 from n where i < ${most - 1})`
      await runSql(
        server.databaseUrl,
        `insert into files (file_id, name, size, mime, url, uploader_id, created_at)
          ${numbers} select 'file' || i, 'x', 0, 'image/png', 'x', 1, 0 from n`,
        `insert into ${table} (name, file_id, creator_id) ${numbers} select 'n' || i, 'file' || i, 1 from n`,
      )
      assert.equal((await add(ada, 'last')).status, 201)
      assert.equal(failure(await add(ada, 'more')), '400 INVALID_OPERATION')
      assert.equal(stored(server).length, 1)
      assert.deepEqual(await countRows(server.databaseUrl, `select 1 from files`), [most])
    })

    it('comes in pages, by id', async () => {
      await using server = await startTestServer(engine, { env: { [`VOX_LIMIT_PAGE_LIMIT_${limit}`]: '2' } })
      const [ada, bob] = await registerAll(server, 'ada', 'bob')
      assert.deepEqual((await bob.get(path)).body, { items: [], cursor: null })
      for (const name of ['c', 'b', 'a']) await add(ada, name)
      const page = async (query: string) => {
        const { items, cursor } = (await bob.get(`${path}?${query}`)).body
        return [items.map(({ name }: { name: string }) => name), cursor]
      }
      assert.deepEqual(await page(''), [['c', 'b'], '2'])
      assert.deepEqual(await page('cursor=2'), [['a'], '3'])
      assert.deepEqual(await page('after=3'), [[], null])
      assert.deepEqual(await page('limit=1&after=1'), [['b'], '2'])
      assert.equal(failure(await bob.get(`${path}?after=abc`)), '422 VALIDATION_ERROR')
      assert.equal(failure(await server.visitor.get(path)), '422 VALIDATION_ERROR')
    })
  })

  describe(`the image of a custom ${kind}`, () => {
    it('has an allowed type, by what is declared and by what it is', async () => {
      await using server = await startTestServer(sqlite)
      const ada = await server.register('ada')
      let names = 0
      const type = async (content: string | Buffer, declared: string) => {
        const answer = await add(ada, `n${names++}`, image(content, declared))
        if (answer.status !== 201) return failure(answer)
        return (await ada.get(fileOf(answer.body))).headers.get('content-type')
      }
      assert.equal(await type(PNG, 'image/png'), 'image/png')
      assert.equal(await type('\x89PNG and junk', 'image/png'), 'image/png')
      assert.equal(await type('four', 'image/png'), 'image/png')
      assert.equal(await type('', 'IMAGE/PNG; x=y'), 'image/png')
      assert.equal(await type('GIF89a', 'image/png'), 'image/gif')
      assert.equal(await type(APNG, 'image/png'), 'image/apng')
      assert.equal(await type(PNG, 'application/x-evil'), '415 UNSUPPORTED_MEDIA_TYPE')
      assert.equal(await type(PNG, 'nonsense'), '415 UNSUPPORTED_MEDIA_TYPE')
      assert.equal(await type('PK\x03\x04', 'image/png'), '415 UNSUPPORTED_MEDIA_TYPE')
      assert.equal(await type('<svg/>', 'image/svg+xml'), '415 UNSUPPORTED_MEDIA_TYPE')
      assert.equal(await type(Buffer.from([0xff, 0xd8, 0xff]), 'image/png'), '415 UNSUPPORTED_MEDIA_TYPE')
      const apng = await type(APNG, 'image/apng')
      assert.equal(apng, kind === 'sticker' ? 'image/apng' : '415 UNSUPPORTED_MEDIA_TYPE')
      const { type: _, ...untyped } = image()
      assert.equal(failure(await postForm(ada, path, untyped, named('x'))), '415 UNSUPPORTED_MEDIA_TYPE')
    })

    it('is bounded in size before anybody looks at it', async () => {
      await using server = await startTestServer(sqlite, { env: { VOX_LIMIT_FILE_UPLOAD_MAX_BYTES: '1000' } })
      const ada = await server.register('ada')
      assert.equal((await add(ada, 'exactly', image('x'.repeat(1000)))).status, 201)
      assert.equal(failure(await add(ada, 'more', image('MZ'.repeat(501)))), '413 FILE_TOO_LARGE')
      assert.equal(failure(await postForm(ada, path, image('x'.repeat(1001)))), '413 FILE_TOO_LARGE')
      assert.equal(stored(server).length, 1)
    })
  })

  describe(`the form of a new ${kind}`, () => {
    it('has an image and a name in any order', async () => {
      await using server = await startTestServer(sqlite)
      const ada = await server.register('ada')
      assert.equal((await postForm(ada, path, named('first'), image())).status, 201)
      assert.equal(failure(await postForm(ada, path, named('x'))), '422 VALIDATION_ERROR')
      assert.equal(failure(await postForm(ada, path, image())), '422 VALIDATION_ERROR')
      assert.equal(failure(await postForm(ada, path, image('PK\x03\x04'))), '422 VALIDATION_ERROR')
      assert.equal(failure(await postForm(ada, path, { ...image(), name: 'file' }, named('x'))), '422 VALIDATION_ERROR')
      assert.equal(failure(await ada.post(path, { name: 'x' })), '422 VALIDATION_ERROR')
      for (const name of ['', 'x'.repeat(33), ' ', 'a\tb', '\u200b'])
        assert.equal(failure(await add(ada, name)), '422 VALIDATION_ERROR', JSON.stringify(name))
      assert.equal((await add(ada, '😀'.repeat(32))).status, kind === 'sticker' ? 201 : 422)
    })
  })
}

describe('the name of an emoji', () => {
  it('stands between colons, so it has letters, digits, _ and - only', async () => {
    await using server = await startTestServer(sqlite)
    const ada = await server.register('ada')
    const add = async (name: string) => (await postForm(ada, '/emoji', image(), named(name))).status
    for (const name of ['a', '_-9', 'Ünï', '波', 'हिन्दी', '٣']) assert.equal(await add(name), 201, name)
    for (const name of ['a b', ':a:', 'a.b', '😀', 'a/b', '½']) assert.equal(await add(name), 422, name)
    assert.equal((await postForm(ada, '/stickers', image(), named('a b, 😀!'))).status, 201)
  })
})

describe('a failing storage', () => {
  it('does not keep an emoji from being deleted', async () => {
    const bucket = await startS3()
    await using server = await startTestServer(sqlite, { env: bucket.env })
    const ada = await server.register('ada')
    assert.equal((await postForm(ada, '/emoji', image(), named('wave'))).status, 201)
    await bucket.close()
    assert.equal((await ada.delete('/emoji/1')).status, 204)
    assert.equal(failure(await postForm(ada, '/emoji', image(), named('wave'))), '500 INTERNAL_ERROR')
    assert.deepEqual((await ada.get('/emoji')).body.items, [])
  })
})
