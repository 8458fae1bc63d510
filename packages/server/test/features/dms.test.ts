import assert from 'node:assert/strict'
import { it } from 'node:test'
import { ENDPOINTS } from '@vox/protocol/endpoints'
import { restarted } from '../support/accounts.ts'
import { TestClock } from '../support/clock.ts'
import { registerAll } from '../support/community.ts'
import { createGroup, listed, openPair, say, textsIn } from '../support/conversations.ts'
import { forEachEngine } from '../support/engines.ts'
import { connectAll } from '../support/gateway-client.ts'
import { Client, failure, startTestServer } from '../support/server.ts'

const NOBODY = 4_000_000

forEachEngine('a conversation of two', (engine) => {
  it('is one and the same for both, however often and from wherever it is opened', async () => {
    const clock = new TestClock()
    await using server = await startTestServer(engine, { clock })
    const [ada, bob] = await registerAll(server, 'ada', 'bob')
    const [a, b] = await connectAll(server, ada, bob)
    const { status, body } = await ada.post('/dms', { recipient_id: bob.userId, recipient_ids: 'ignored', name: 7 })
    assert.equal(status, 201)
    const dm = {
      dm_id: body.dm_id,
      participant_ids: [ada.userId, bob.userId],
      is_group: false,
      name: null,
      icon: null,
      created_at: Math.floor(clock.now() / 1000),
      last_message_id: null,
    }
    assert.deepEqual(body, dm)
    const { dm_id, participant_ids } = dm
    for (const session of [a, b])
      assert.deepEqual(await session?.told(), [['dm_create', { dm_id, participant_ids, is_group: false }]])
    assert.deepEqual(await ada.post('/dms', { recipient_id: bob.userId }).then((again) => again.body), dm)
    assert.equal(await openPair(bob, ada), dm_id)
    for (const session of [a, b]) assert.deepEqual(await session?.told(), [])
    assert.deepEqual((await bob.get('/dms')).body, { items: [dm], cursor: String(dm_id) })
  })

  it('is one also when both open it at once, beside a group of the same two', async () => {
    await using server = await startTestServer(engine)
    const [ada, bob] = await registerAll(server, 'ada', 'bob')
    const group = await createGroup(ada, bob)
    const opened = await Promise.all([1, 2, 3, 4].flatMap(() => [openPair(ada, bob), openPair(bob, ada)]))
    assert.deepEqual([...new Set(opened)], [opened[0]])
    assert.notEqual(opened[0], group)
    assert.deepEqual(await listed(bob), [group, opened[0]])
  })

  it('needs somebody else who is there', async () => {
    await using server = await startTestServer(engine)
    const [ada, bob, cleo] = await registerAll(server, 'ada', 'bob', 'cleo')
    const open = async (body: unknown) => failure(await bob.post('/dms', body))
    for (const body of [{}, { recipient_id: null, recipient_ids: null, name: 'x' }])
      assert.equal(await open(body), '400 PROTOCOL_VERSION_MISMATCH')
    assert.equal(await open({ recipient_id: bob.userId }), '400 INVALID_TARGET')
    assert.equal(await open({ recipient_id: NOBODY }), '404 USER_NOT_FOUND')
    assert.equal(await open({ recipient_id: 'cleo@remote.example' }), '422 VALIDATION_ERROR')
    const dm = await openPair(ada, cleo)
    await ada.put(`/bans/${cleo.userId}`)
    assert.equal(await open({ recipient_id: cleo.userId }), '404 USER_NOT_FOUND')
    assert.equal(await open({ recipient_ids: [cleo.userId, ada.userId] }), '404 USER_NOT_FOUND')
    assert.equal(await openPair(ada, cleo), dm)
    assert.deepEqual(await listed(bob), [])
  })

  it('that is closed is out of one’s own sight only, until it is opened again', async () => {
    await using server = await startTestServer(engine)
    const [ada, bob] = await registerAll(server, 'ada', 'bob')
    const dm = await openPair(ada, bob)
    const [a, b, other] = await connectAll(server, ada, bob, ada)
    for (let time = 0; time < 2; time++) assert.equal((await ada.delete(`/dms/${dm}`)).status, 204)
    for (const session of [a, other])
      assert.deepEqual(await session?.told(), [['dm_recipient_remove', { dm_id: dm, user_id: ada.userId }]])
    assert.deepEqual([await listed(ada), await listed(bob)], [[], [dm]])
    assert.equal(await openPair(bob, ada), dm)
    assert.deepEqual(await listed(ada), [])
    assert.equal(await openPair(ada, bob), dm)
    const again = ['dm_create', { dm_id: dm, participant_ids: [ada.userId, bob.userId], is_group: false }]
    for (const session of [a, other]) assert.deepEqual(await session?.told(), [again])
    assert.deepEqual(await b?.told(), [])
    assert.deepEqual(await listed(ada), [dm])
  })

  it('takes no more participants, no name, and loses none', async () => {
    await using server = await startTestServer(engine)
    const [ada, bob, cleo] = await registerAll(server, 'ada', 'bob', 'cleo')
    const dm = await openPair(ada, bob)
    const recipient = (userId: number) => `/dms/${dm}/recipients/${userId}`
    assert.equal(failure(await ada.put(recipient(cleo.userId))), '400 NOT_GROUP_DM')
    assert.equal(failure(await ada.delete(recipient(bob.userId))), '400 NOT_GROUP_DM')
    assert.equal(failure(await ada.delete(recipient(ada.userId))), '400 INVALID_OPERATION')
    assert.equal(failure(await ada.patch(`/dms/${dm}`, { name: 'x' })), '400 NOT_GROUP_DM')
  })

  it('becomes a group for good, in the sight of both; the pair may begin another one', async () => {
    await using server = await startTestServer(engine)
    const [ada, bob, cleo] = await registerAll(server, 'ada', 'bob', 'cleo')
    const dm = await openPair(ada, bob)
    await bob.delete(`/dms/${dm}`)
    const [a, b] = await connectAll(server, ada, bob)
    assert.equal(failure(await cleo.post(`/dms/${dm}/convert-to-group`)), '403 NOT_DM_PARTICIPANT')
    assert.equal(failure(await cleo.post(`/dms/${NOBODY}/convert-to-group`)), '404 SPACE_NOT_FOUND')
    const converted = await ada.post(`/dms/${dm}/convert-to-group`)
    assert.equal(converted.status, 200)
    const participant_ids = [ada.userId, bob.userId]
    assert.deepEqual([converted.body.is_group, converted.body.participant_ids], [true, participant_ids])
    const update = ['dm_update', { dm_id: dm, is_group: true }]
    assert.deepEqual(await b?.told(), [['dm_create', { dm_id: dm, participant_ids, is_group: true }], update])
    assert.deepEqual(await a?.told(), [update])
    assert.deepEqual((await bob.post(`/dms/${dm}/convert-to-group`)).body, converted.body)
    assert.deepEqual(await a?.told(), [])
    const other = await openPair(bob, ada)
    assert.notEqual(other, dm)
    assert.equal((await ada.put(`/dms/${dm}/recipients/${cleo.userId}`)).status, 204)
    assert.deepEqual([await listed(bob), await listed(cleo)], [[dm, other], [dm]])
  })
})

forEachEngine('a group', (engine) => {
  it('has its creator and others, each once, and a name and an icon that everybody may change', async () => {
    await using server = await startTestServer(engine)
    const [ada, bob, cleo] = await registerAll(server, 'ada', 'bob', 'cleo')
    const [a, c] = await connectAll(server, ada, cleo)
    const wanted = [cleo.userId, bob.userId, cleo.userId, ada.userId]
    const { status, body } = await ada.post('/dms', { recipient_ids: wanted, name: 'three' })
    const participant_ids = [ada.userId, cleo.userId, bob.userId]
    assert.deepEqual([status, body.participant_ids, body.is_group, body.name], [201, participant_ids, true, 'three'])
    const { dm_id } = body
    const created = ['dm_create', { dm_id, participant_ids, is_group: true, name: 'three' }]
    for (const session of [a, c]) assert.deepEqual(await session?.told(), [created])
    assert.deepEqual((await cleo.patch(`/dms/${dm_id}`, { name: null })).body, body)
    assert.deepEqual(await a?.told(), [])
    const icon = 'https://example.org/icon.png'
    assert.deepEqual((await cleo.patch(`/dms/${dm_id}`, { name: '', icon })).body, { ...body, name: '', icon })
    for (const session of [a, c]) assert.deepEqual(await session?.told(), [['dm_update', { dm_id, name: '', icon }]])
    for (const wrong of [{ name: 'x'.repeat(65) }, { icon: 'x'.repeat(513) }])
      assert.equal(failure(await bob.patch(`/dms/${dm_id}`, wrong)), '422 VALIDATION_ERROR')
    assert.notEqual(await createGroup(ada, cleo, bob), dm_id)
  })

  it('may begin with nobody else, and holds at most as many as the limit says', async () => {
    await using server = await startTestServer(engine)
    const [ada, ...others] = await registerAll(server, ...'abcdefghijk')
    assert.ok(ada)
    const ids = others.map(({ userId }) => userId)
    const create = (recipient_ids: number[]) => ada.post('/dms', { recipient_ids })
    assert.deepEqual((await create([])).body.participant_ids, [ada.userId])
    assert.equal(failure(await create([...ids, NOBODY])), '422 VALIDATION_ERROR')
    assert.equal(failure(await create(ids)), '400 TOO_MANY_RECIPIENTS')
    assert.equal(failure(await ada.post('/dms', { recipient_ids: [], name: 'x'.repeat(65) })), '422 VALIDATION_ERROR')
    assert.equal((await create([...ids.slice(0, 9), ada.userId])).status, 201)
  })

  it('takes in whom a participant adds, who is told all of it first', async () => {
    await using server = await startTestServer(engine)
    const [ada, bob, cleo] = await registerAll(server, 'ada', 'bob', 'cleo')
    const dm_id = await createGroup(ada)
    const [a, b] = await connectAll(server, ada, bob)
    const put = (client: Client, user: number, dm = dm_id) => client.put(`/dms/${dm}/recipients/${user}`)
    assert.equal(failure(await put(ada, bob.userId, NOBODY)), '404 SPACE_NOT_FOUND')
    assert.equal(failure(await put(bob, bob.userId)), '403 NOT_DM_PARTICIPANT')
    assert.equal(failure(await put(ada, NOBODY)), '404 USER_NOT_FOUND')
    assert.equal((await put(ada, bob.userId)).status, 204)
    const added = ['dm_recipient_add', { dm_id, user_id: bob.userId }]
    const participant_ids = [ada.userId, bob.userId]
    assert.deepEqual(await b?.told(), [['dm_create', { dm_id, participant_ids, is_group: true }], added])
    assert.deepEqual(await a?.told(), [added])
    assert.equal((await put(bob, bob.userId)).status, 204)
    assert.equal((await put(bob, cleo.userId)).status, 204)
    assert.deepEqual((await cleo.get('/dms')).body.items[0].participant_ids, [...participant_ids, cleo.userId])
  })

  it('gives its last place to one of two, and a present participant may be added also when it is full', async () => {
    await using server = await startTestServer(engine, { env: { VOX_LIMIT_GROUP_DM_RECIPIENTS_MAX: '3' } })
    const [ada, bob, cleo, dan] = await registerAll(server, 'ada', 'bob', 'cleo', 'dan')
    const dm = await createGroup(ada, bob)
    const put = (client: Client, { userId }: { userId: number }) => client.put(`/dms/${dm}/recipients/${userId}`)
    const answers = (await Promise.all([put(ada, cleo), put(bob, dan)])).map(failure)
    assert.deepEqual(answers.sort(), ['204 undefined', '400 TOO_MANY_RECIPIENTS'])
    assert.equal((await put(ada, bob)).status, 204)
    assert.equal((await ada.get('/dms')).body.items[0].participant_ids.length, 3)
  })

  it('lets go whom a participant removes, and says so to them and to those who stay', async () => {
    await using server = await startTestServer(engine)
    const [ada, bob, cleo] = await registerAll(server, 'ada', 'bob', 'cleo')
    const dm_id = await createGroup(ada, bob)
    const [a, b, c] = await connectAll(server, ada, bob, cleo)
    const remove = (client: Client, user: number | string) => client.delete(`/dms/${dm_id}/recipients/${user}`)
    assert.equal(failure(await remove(cleo, bob.userId)), '403 NOT_DM_PARTICIPANT')
    for (const self of ['@me', bob.userId]) assert.equal(failure(await remove(bob, self)), '400 INVALID_OPERATION')
    assert.equal((await remove(bob, cleo.userId)).status, 204)
    assert.deepEqual(await a?.told(), [])
    assert.equal((await remove(bob, ada.userId)).status, 204)
    const removed = ['dm_recipient_remove', { dm_id, user_id: ada.userId }]
    for (const session of [a, b]) assert.deepEqual(await session?.told(), [removed])
    assert.deepEqual(await c?.told(), [])
    assert.equal(failure(await ada.patch(`/dms/${dm_id}`, {})), '403 NOT_DM_PARTICIPANT')
  })

  it('is left for good, until somebody adds the user again as the last to join', async () => {
    await using server = await startTestServer(engine)
    const [ada, bob, cleo] = await registerAll(server, 'ada', 'bob', 'cleo')
    const dm_id = await createGroup(ada, bob, cleo)
    const [a, b] = await connectAll(server, ada, bob)
    assert.equal((await ada.delete(`/dms/${dm_id}`)).status, 204)
    const left = ['dm_recipient_remove', { dm_id, user_id: ada.userId }]
    for (const session of [a, b]) assert.deepEqual(await session?.told(), [left])
    assert.equal(failure(await ada.delete(`/dms/${dm_id}`)), '403 NOT_DM_PARTICIPANT')
    await bob.put(`/dms/${dm_id}/recipients/${ada.userId}`)
    assert.deepEqual((await ada.get('/dms')).body.items[0].participant_ids, [bob.userId, cleo.userId, ada.userId])
  })

  it('ends with its last participant', async () => {
    await using server = await startTestServer(engine)
    const [ada, bob] = await registerAll(server, 'ada', 'bob')
    const dm_id = await createGroup(ada, bob)
    for (const client of [ada, bob]) assert.equal((await client.delete(`/dms/${dm_id}`)).status, 204)
    assert.equal(failure(await ada.post(`/dms/${dm_id}/convert-to-group`)), '404 SPACE_NOT_FOUND')
  })
})

forEachEngine('the list of conversations', (engine) => {
  it('comes in pages by id', async () => {
    await using server = await startTestServer(engine, { env: { VOX_LIMIT_PAGE_LIMIT_DMS: '2' } })
    const [ada, bob] = await registerAll(server, 'ada', 'bob')
    const all = []
    for (let n = 0; n < 5; n++) all.push(await createGroup(ada, bob))
    const found = []
    for (let cursor = '0'; cursor; ) {
      const page = (await bob.get(`/dms?cursor=${cursor}&limit=100`)).body
      assert.ok(page.items.length <= 2)
      found.push(...page.items.map(({ dm_id }: { dm_id: number }) => dm_id))
      cursor = page.cursor
    }
    assert.deepEqual(found, all)
    assert.equal(failure(await bob.get('/dms?after=x')), '422 VALIDATION_ERROR')
  })
})

forEachEngine('guests', (engine) => {
  it('read their conversations here and leave them, and write, open, change or extend none', async () => {
    const prepared = await startTestServer(engine)
    const [ada, gus] = await registerAll(prepared, 'ada', 'gus')
    const dm = await createGroup(ada, gus)
    const asGuest = `update users set federated = true, home_domain = 'remote.example' where user_id = ${gus.userId}`
    await using server = await restarted(prepared, engine, {}, asGuest)
    const guest = new Client(server.url, gus.token)
    assert.deepEqual(await listed(guest), [dm])
    const msg_id = await say(new Client(server.url, ada.token), dm)
    const MAY = ['listDms', 'closeDm', 'listDmMessages', 'getDmMessage', 'listDmReactions', 'markDmRead']
    for (const [name, { method, path }] of Object.entries({ ...ENDPOINTS.dms, ...ENDPOINTS.dm_messages })) {
      if (MAY.includes(name)) continue
      const url = path.replace(':dm_id', `${dm}`).replace(':msg_id', `${msg_id}`).replace(':user_id', `${ada.userId}`)
      assert.equal(failure(await guest.request(method, url, { body: 'x' })), '403 FORBIDDEN', name)
    }
    assert.deepEqual(await textsIn(guest, dm), ['hello'])
    assert.equal((await guest.get(`/dms/${dm}/messages/${msg_id}/reactions`)).status, 200)
    assert.equal((await guest.post(`/dms/${dm}/read`, { up_to_msg_id: msg_id })).status, 204)
    assert.equal((await guest.delete(`/dms/${dm}`)).status, 204)
  })
})
