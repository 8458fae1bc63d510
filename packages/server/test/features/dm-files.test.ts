import assert from 'node:assert/strict'
import { readdirSync } from 'node:fs'
import { it } from 'node:test'
import { grant, registerAll } from '../support/community.ts'
import { createGroup, openPair, say } from '../support/conversations.ts'
import { forEachEngine } from '../support/engines.ts'
import { eventually } from '../support/eventually.ts'
import { filePart, postForm, uploadText, uploadTextTo } from '../support/forms.ts'
import { connectAll } from '../support/gateway-client.ts'
import { failure, startTestServer, type TestServer } from '../support/server.ts'
import { countRows, runSql } from '../support/sql.ts'

async function withPair(server: TestServer) {
  const [admin, ada, bob, cleo] = await registerAll(server, 'admin', 'ada', 'bob', 'cleo')
  return { admin, ada, bob, cleo, dm: await openPair(ada, bob) }
}

forEachEngine('a file of a conversation', (engine) => {
  it('is its uploader’s until it is attached, and then the participants’ of that moment', async () => {
    await using server = await startTestServer(engine)
    const { admin, ada, bob, cleo } = await withPair(server)
    const dm = await createGroup(ada, bob, cleo)
    const file = await uploadTextTo(ada, `/dms/${dm}`)
    const statuses = async () => {
      const answers = [ada, bob, cleo, admin].map((client) => client.get(`/files/${file}`))
      return (await Promise.all(answers)).map(({ status }) => status)
    }
    assert.deepEqual(await statuses(), [200, 403, 403, 403])
    const [b] = await connectAll(server, bob)
    const { msg_id } = (await ada.post(`/dms/${dm}/messages`, { attachments: [file, file] })).body
    const [[, event] = []] = (await b?.told()) ?? []
    const { attachments } = event as { attachments: Record<string, unknown>[] }
    assert.deepEqual(
      attachments.map(({ file_id, name, size, mime }) => [file_id, name, size, mime]),
      [[file, 'file.txt', 11, 'text/plain']],
    )
    assert.deepEqual(
      (await bob.get(`/dms/${dm}/messages/${msg_id}`)).body.attachments.map(
        ({ file_id }: { file_id: string }) => file_id,
      ),
      [file],
    )
    assert.deepEqual(await statuses(), [200, 200, 200, 403])
    await cleo.delete(`/dms/${dm}`)
    assert.deepEqual(await statuses(), [200, 200, 403, 403])
    await bob.delete(`/dms/${dm}/recipients/${ada.userId}`)
    assert.deepEqual(await statuses(), [403, 200, 403, 403])
    for (const client of [bob, admin]) assert.equal(failure(await client.delete(`/files/${file}`)), '403 FORBIDDEN')
    assert.equal((await ada.delete(`/files/${file}`)).status, 204)
    assert.deepEqual((await bob.get(`/dms/${dm}/messages/${msg_id}`)).body.attachments, [])
  })

  it('is uploaded by participants only, in the types and sizes the server allows', async () => {
    const env = { VOX_MEDIA_ALLOWED_FILE_MIMES: 'text/plain', VOX_LIMIT_FILE_UPLOAD_MAX_BYTES: '100' }
    await using server = await startTestServer(engine, { env })
    const { ada, bob, cleo, dm } = await withPair(server)
    const upload = async (client: typeof ada, part = filePart('x')) =>
      failure(await postForm(client, `/dms/${dm}/files`, part))
    assert.equal(await upload(bob), '201 undefined')
    assert.equal(await upload(cleo), '403 NOT_DM_PARTICIPANT')
    assert.equal(await upload(ada, filePart('x', { type: 'application/x-evil' })), '415 UNSUPPORTED_MEDIA_TYPE')
    assert.equal(await upload(ada, filePart('x'.repeat(101))), '413 FILE_TOO_LARGE')
  })

  it('can be attached where it was uploaded, by the other participant too, and elsewhere by its uploader', async () => {
    await using server = await startTestServer(engine)
    const { admin, ada, bob, cleo, dm } = await withPair(server)
    const elsewhere = await openPair(ada, cleo)
    for (const member of [ada, cleo]) await grant(admin, member, ['ATTACH_FILES'])
    const { feed_id } = (await admin.post('/feeds', { name: 'general', type: 'text' })).body
    const file = await uploadTextTo(ada, `/dms/${dm}`)
    const attach = async (client: typeof ada, place: string, ...attachments: string[]) =>
      failure(await client.post(`${place}/messages`, { body: 'x', attachments }))
    assert.equal(await attach(bob, `/dms/${dm}`, file), '201 undefined')
    assert.equal(await attach(cleo, `/dms/${elsewhere}`, file), '403 FORBIDDEN')
    assert.equal(await attach(cleo, `/feeds/${feed_id}`, file), '403 FORBIDDEN')
    assert.equal(await attach(ada, `/dms/${elsewhere}`, file), '201 undefined')
    assert.equal(await attach(ada, `/feeds/${feed_id}`, file), '201 undefined')
    const posted = await uploadText(ada, feed_id)
    assert.equal(await attach(ada, `/dms/${dm}`, posted), '201 undefined')
    assert.equal(await attach(bob, `/dms/${dm}`, posted), '403 FORBIDDEN')
    const newest = async () => (await ada.get(`/dms/${dm}/messages?limit=1`)).body.messages[0].msg_id
    const before = await newest()
    assert.equal(await attach(ada, `/dms/${dm}`, file, 'unknown'), '400 INVALID_ATTACHMENT')
    assert.equal(await newest(), before)
  })

  it('is deleted by its uploader alone, wherever it is shown besides', async () => {
    await using server = await startTestServer(engine)
    const { admin, ada, bob, dm } = await withPair(server)
    await grant(admin, ada, ['ATTACH_FILES'])
    const { feed_id } = (await admin.post('/feeds', { name: 'general', type: 'text' })).body
    const [feed, conversation] = [`/feeds/${feed_id}`, `/dms/${dm}`]
    for (const [uploadedTo, ...shownIn] of [
      [conversation],
      [conversation, conversation],
      [conversation, feed],
      [feed, conversation],
      [feed, feed, conversation],
    ] as const) {
      const file = await uploadTextTo(ada, uploadedTo)
      for (const place of shownIn)
        assert.equal((await ada.post(`${place}/messages`, { attachments: [file] })).status, 201)
      for (const other of [admin, bob])
        assert.equal(failure(await other.delete(`/files/${file}`)), '403 FORBIDDEN', `${uploadedTo} ${shownIn}`)
      assert.equal((await ada.delete(`/files/${file}`)).status, 204)
    }
  })

  it('is shown to the participants of a group that has it as its icon', async () => {
    await using server = await startTestServer(engine)
    const { ada, bob, cleo } = await withPair(server)
    const dm = await createGroup(ada, bob)
    const { file_id, url } = (await postForm(ada, `/dms/${dm}/files`, filePart('picture'))).body
    assert.equal(failure(await bob.get(`/files/${file_id}`)), '403 FORBIDDEN')
    await ada.patch(`/dms/${dm}`, { icon: url })
    assert.equal((await bob.get(`/files/${file_id}`)).status, 200)
    assert.equal(failure(await cleo.get(`/files/${file_id}`)), '403 FORBIDDEN')
  })

  it('does not open to somebody who gives its address to a group of their own', async () => {
    await using server = await startTestServer(engine)
    const { ada, bob, cleo } = await withPair(server)
    const dm = await createGroup(ada, bob)
    const { file_id, url } = (await postForm(ada, `/dms/${dm}/files`, filePart('regretted'))).body
    const { msg_id } = (await ada.post(`/dms/${dm}/messages`, { attachments: [file_id] })).body
    assert.equal((await bob.get(`/files/${file_id}`)).status, 200)
    await ada.delete(`/dms/${dm}/messages/${msg_id}`)
    const own = await createGroup(bob, cleo)
    await bob.patch(`/dms/${own}`, { icon: url })
    for (const client of [bob, cleo]) assert.equal(failure(await client.get(`/files/${file_id}`)), '403 FORBIDDEN')
    const adas = await createGroup(ada, cleo)
    await ada.patch(`/dms/${adas}`, { icon: url })
    assert.equal((await cleo.get(`/files/${file_id}`)).status, 200, 'its uploader may make it an icon anywhere')
  })
})

forEachEngine('a group that everybody has left', (engine) => {
  it('is gone with its messages, reactions and files, but for those that are shown elsewhere', async () => {
    await using server = await startTestServer(engine)
    const { admin, ada, bob, dm: pair } = await withPair(server)
    const dm = await createGroup(ada, bob)
    const msg_id = await say(ada, dm)
    await bob.put(`/dms/${dm}/messages/${msg_id}/reactions/x`)
    await bob.post(`/dms/${dm}/read`, { up_to_msg_id: msg_id })
    const [attached, loose, shared, face, icon, hook] = [
      await uploadTextTo(ada, `/dms/${dm}`),
      await uploadTextTo(bob, `/dms/${dm}`),
      await uploadTextTo(ada, `/dms/${dm}`),
      (await postForm(bob, `/dms/${dm}/files`, filePart('face'))).body,
      (await postForm(ada, `/dms/${dm}/files`, filePart('icon'))).body,
      (await postForm(bob, `/dms/${dm}/files`, filePart('hook'))).body,
    ]
    await ada.post(`/dms/${dm}/messages`, { attachments: [attached, shared] })
    await ada.post(`/dms/${pair}/messages`, { attachments: [shared] })
    await bob.patch('/users/@me', { avatar: face.url })
    await ada.patch(`/dms/${await createGroup(ada, bob)}`, { icon: icon.url })
    const { feed_id } = (await admin.post('/feeds', { name: 'news', type: 'text' })).body
    await grant(admin, bob, ['MANAGE_WEBHOOKS'])
    assert.equal((await bob.post(`/feeds/${feed_id}/webhooks`, { name: 'hook', avatar: hook.url })).status, 201)
    for (const client of [ada, bob]) assert.equal(failure(await client.delete(`/dms/${dm}`)), '204 undefined')
    for (const file of [attached, loose]) assert.equal(failure(await ada.get(`/files/${file}`)), '404 FILE_NOT_FOUND')
    for (const file of [shared, face.file_id, icon.file_id, hook.file_id])
      assert.equal((await bob.get(`/files/${file}`)).status, 200)
    await eventually(() => {
      const stored = readdirSync(server.storagePath, { recursive: true }).map(String)
      assert.equal(
        stored.some((name) => name.includes(attached) || name.includes(loose)),
        false,
      )
    })
    const left = await countRows(
      server.databaseUrl,
      `select 1 from messages where dm_id = ${dm}`,
      'select 1 from message_reactions',
      `select 1 from dm_participants where dm_id = ${dm}`,
      `select 1 from dms where dm_id = ${dm}`,
    )
    assert.deepEqual(left, [0, 0, 0, 0])
  })
  it('is gone after the next start if a stop came before all of it was', async () => {
    const env = { VOX_DATABASE_URL: await engine.freshUrl() }
    const dm = await (async () => {
      await using server = await startTestServer(engine, { env })
      const { ada, bob, dm: pair } = await withPair(server)
      await say(ada, pair)
      await createGroup(ada, bob)
      return await createGroup(ada, bob)
    })()
    await runSql(
      env.VOX_DATABASE_URL,
      `insert into messages (msg_id, dm_id, body)
        with recursive n(i) as (select 1 union all select i + 1 from n where i < 1200) select i, ${dm}, 'message' from n`,
      `delete from dm_participants where dm_id = ${dm}`,
    )
    await using server = await startTestServer(engine, { env })
    const left = ['select 1 from messages', `select 1 from dms where dm_id = ${dm}`, 'select 1 from dms']
    await eventually(async () => assert.deepEqual(await countRows(server.databaseUrl, ...left), [1, 0, 2]))
  })
})
