import assert from 'node:assert/strict'
import { it } from 'node:test'
import { ENDPOINTS } from '@vox/protocol/endpoints'
import { type Member, registerAll } from '../support/community.ts'
import { createGroup, listed, openPair, say, textsIn } from '../support/conversations.ts'
import { forEachEngine } from '../support/engines.ts'
import { FORM_TYPE, filePart, formBody, uploadTextTo } from '../support/forms.ts'
import { connectAll } from '../support/gateway-client.ts'
import { groupMessage } from '../support/mls.ts'
import { allTold, relay } from '../support/relays.ts'
import { failure, startTestServer } from '../support/server.ts'
import { refusedMeanwhile } from '../support/slow-request.ts'

const UNKNOWN = 4_000_000

/** Every endpoint that names a conversation in its path. */
const endpoints = Object.values(ENDPOINTS)
  .flatMap((section) => Object.entries(section))
  .filter(([, { path }]) => path.includes(':dm_id'))

/** Those that say first whether there is such a conversation (spec 05, sections 2.5 and 2.7). */
const SAY_WHETHER_IT_EXISTS = ['addDmRecipient', 'convertDm']

/** Something each endpoint takes, so that a refusal is not one of the body. */
const BODIES: Readonly<Record<string, object>> = {
  updateDm: { name: 'x' },
  sendDmMessage: { body: 'x' },
  editDmMessage: { body: 'x' },
  markDmRead: { up_to_msg_id: 1 },
}

interface Place {
  dm: number
  msg_id: bigint
  user: number
}

function request(client: Member, name: string, { dm, msg_id, user }: Place, body: object | undefined) {
  const [, { method, path }] = endpoints.find(([other]) => other === name) ?? ['', { method: '', path: '' }]
  const url = path
    .replace(':dm_id', String(dm))
    .replace(':msg_id', String(msg_id))
    .replace(':user_id', String(user))
    .replace(':emoji', 'x')
  if (name === 'uploadDmFile')
    return client.raw(method, `/api/v1${url}`, formBody(filePart('x')), { 'content-type': FORM_TYPE })
  return client.request(method, url, body)
}

forEachEngine('who takes no part in a conversation', (engine) => {
  it('gets from every endpoint the answer of a conversation that does not exist', async () => {
    await using server = await startTestServer(engine)
    const [admin, ada, bob, cleo] = await registerAll(server, 'admin', 'ada', 'bob', 'cleo')
    const group = await createGroup(ada, bob, cleo)
    const places = [await openPair(ada, bob), group]
    await cleo.delete(`/dms/${group}`)
    assert.ok(endpoints.length >= 15)
    for (const dm of places) {
      const msg_id = await say(ada, dm)
      for (const outsider of [admin, cleo])
        for (const [name, { method }] of endpoints)
          for (const body of method === 'GET' ? [undefined] : [BODIES[name], { body: 7, name: 7, up_to_msg_id: 'x' }]) {
            const user = name === 'addDmRecipient' ? outsider.userId : ada.userId
            const foreign = await request(outsider, name, { dm, msg_id, user }, body)
            const unknown = await request(outsider, name, { dm: UNKNOWN, msg_id, user }, body)
            assert.equal(failure(foreign), '403 NOT_DM_PARTICIPANT', name)
            if (SAY_WHETHER_IT_EXISTS.includes(name)) assert.equal(failure(unknown), '404 SPACE_NOT_FOUND', name)
            else assert.deepEqual([unknown.status, unknown.body], [foreign.status, foreign.body], name)
          }
    }
  })

  it('finds nothing of it by search, reports, files, feeds or lists', async () => {
    await using server = await startTestServer(engine)
    const [admin, ada, bob] = await registerAll(server, 'admin', 'ada', 'bob')
    const { feed_id } = (await admin.post('/feeds', { name: 'general', type: 'text' })).body
    const dm = await openPair(ada, bob)
    const msg_id = await say(ada, dm, 'secret tea')
    const file = await uploadTextTo(ada, `/dms/${dm}`)
    await ada.post(`/dms/${dm}/messages`, { attachments: [file] })
    assert.deepEqual((await admin.get('/messages/search?query=secret')).body.results, [])
    assert.deepEqual((await ada.get('/messages/search?query=secret')).body.results, [])
    for (const id of [dm, UNKNOWN]) {
      assert.equal(failure(await admin.get(`/messages/search?query=secret&dm_id=${id}`)), '403 NOT_DM_PARTICIPANT')
      const report = { reported_user_id: ada.userId, reason: 'spam', dm_id: id, msg_id }
      assert.equal(failure(await admin.post('/reports', report)), '403 NOT_DM_PARTICIPANT')
    }
    const { report_id } = (await admin.post('/reports', { reported_user_id: ada.userId, reason: 'x', msg_id })).body
    assert.equal((await admin.get(`/reports/${report_id}`)).body.evidence, null)
    assert.equal(failure(await admin.get(`/files/${file}`)), '403 FORBIDDEN')
    assert.equal(failure(await admin.delete(`/files/${file}`)), '403 FORBIDDEN')
    assert.equal(failure(await admin.post(`/feeds/${feed_id}/messages`, { attachments: [file] })), '403 FORBIDDEN')
    assert.equal(failure(await admin.get(`/feeds/${feed_id}/messages/${msg_id}`)), '404 MESSAGE_NOT_FOUND')
    assert.equal(failure(await admin.put(`/feeds/${feed_id}/pins/${msg_id}`)), '404 MESSAGE_NOT_FOUND')
    const bulk = { msg_ids: [msg_id] }
    assert.equal((await admin.post(`/feeds/${feed_id}/messages/bulk-delete`, bulk)).status, 204)
    assert.equal((await bob.get(`/dms/${dm}/messages/${msg_id}`)).status, 200)
    assert.deepEqual(await listed(admin), [])
    const sync = { since_timestamp: Date.now(), categories: ['read_states'] }
    assert.deepEqual((await admin.post('/sync', sync)).body.read_states, [])
  })

  it('is told nothing of all that happens in it, nor of an answer to one of its messages', async () => {
    await using server = await startTestServer(engine)
    const [admin, ada, bob, cleo] = await registerAll(server, 'admin', 'ada', 'bob', 'cleo')
    const { feed_id } = (await admin.post('/feeds', { name: 'general', type: 'text' })).body
    const [outside, a] = await connectAll(server, admin, ada)
    const dm = await openPair(ada, bob)
    const msg_id = await say(ada, dm)
    const message = `/dms/${dm}/messages/${msg_id}`
    await ada.post(`/dms/${dm}/messages`, { body: 'x', mentions: [0, admin.userId] })
    await ada.patch(message, { body: 'edited' })
    await bob.put(`${message}/reactions/x`)
    await bob.delete(`${message}/reactions/x`)
    await bob.post(`/dms/${dm}/read`, { up_to_msg_id: msg_id })
    await ada.delete(message)
    await ada.delete(`/dms/${dm}`)
    await ada.post(`/dms/${dm}/convert-to-group`)
    await ada.patch(`/dms/${dm}`, { name: 'three' })
    await ada.put(`/dms/${dm}/recipients/${cleo.userId}`)
    await bob.delete(`/dms/${dm}/recipients/${cleo.userId}`)
    await bob.delete(`/dms/${dm}`)
    await ada.delete(`/dms/${dm}`)
    assert.deepEqual(await outside?.told(), [])
    const kept = await openPair(ada, bob)
    const secret = await say(ada, kept)
    await a?.told()
    await cleo.post(`/feeds/${feed_id}/messages`, { body: 'x', reply_to: secret })
    assert.deepEqual(
      (await a?.told())?.map(([type]) => type),
      ['message_create'],
    )
  })

  it('writes nothing that came while they were being removed', async () => {
    await using server = await startTestServer(engine)
    const [, ada, bob, cleo] = await registerAll(server, 'admin', 'ada', 'bob', 'cleo')
    const dm = await createGroup(ada, bob, cleo)
    const messages = `/dms/${dm}/messages`
    const msg_id = await say(bob, dm)
    for (const request of [
      { path: messages, body: { body: 'too late' } },
      { method: 'PATCH', path: `${messages}/${msg_id}`, body: { body: 'too late' } },
      { method: 'PATCH', path: `/dms/${dm}`, body: { name: 'too late' } },
      { path: `/dms/${dm}/read`, body: { up_to_msg_id: msg_id } },
      { path: `/dms/${dm}/files`, body: formBody(filePart('too late')) },
    ]) {
      const remove = () => ada.delete(`/dms/${dm}/recipients/${bob.userId}`)
      assert.equal(await refusedMeanwhile(bob, request, remove), '403 NOT_DM_PARTICIPANT', request.path)
      await ada.put(`/dms/${dm}/recipients/${bob.userId}`)
    }
    assert.deepEqual(await textsIn(ada, dm), ['hello'])
  })

  it('hears nothing between being removed and being added again, whatever comes at the same time', async () => {
    await using server = await startTestServer(engine)
    const [ada, bob, cleo] = await registerAll(server, 'ada', 'bob', 'cleo')
    const dm_id = await createGroup(ada, bob, cleo)
    const msg_id = await say(ada, dm_id)
    const [a, b, c] = await connectAll(server, ada, bob, cleo)
    for (let round = 0; round < 10; round++) {
      const busy = Array.from({ length: 6 }, (_, n) => {
        relay(a, 'proposal', groupMessage(`dm:${dm_id}`, n, 'proposal'))
        return Promise.all([
          ada.post(`/dms/${dm_id}/messages`, { body: 'x', mentions: [0] }),
          ada.patch(`/dms/${dm_id}/messages/${msg_id}`, { body: `${round} ${n}` }),
          cleo.put(`/dms/${dm_id}/messages/${msg_id}/reactions/${round}-${n}`),
          cleo.post(`/dms/${dm_id}/read`, { up_to_msg_id: msg_id }),
        ])
      })
      const path = `/dms/${dm_id}/recipients/${bob.userId}`
      await Promise.all([...busy, round % 2 === 0 ? cleo.delete(path) : cleo.put(path)])
    }
    await allTold(a, c)
    let isPart = true
    for (const [type, d] of (await b?.told()) ?? []) {
      const { user_id } = d as { user_id?: number }
      if (type === 'dm_create') isPart = true
      assert.ok(isPart, `${type} came after the removal`)
      if (type === 'dm_recipient_remove' && user_id === bob.userId) isPart = false
    }
    assert.ok(isPart)
  })
})
