import assert from 'node:assert/strict'
import { it } from 'node:test'
import { type Member, registerAll } from '../support/community.ts'
import { createGroup, openPair, say, textsIn } from '../support/conversations.ts'
import { forEachEngine } from '../support/engines.ts'
import { connectAll } from '../support/gateway-client.ts'
import { failure, startTestServer } from '../support/server.ts'

const block = (one: Member, other: Member) => one.put(`/users/@me/blocks/${other.userId}`)

forEachEngine('a block', (engine) => {
  it('ends writing between two, whoever set it, and nothing else', async () => {
    await using server = await startTestServer(engine)
    const [, ada, bob] = await registerAll(server, 'admin', 'ada', 'bob')
    const dm = await openPair(ada, bob)
    const messages = `/dms/${dm}/messages`
    const of = new Map<Member, bigint>()
    for (const member of [ada, bob]) {
      of.set(member, await say(member, dm, 'before'))
      await member.put(`${messages}/${of.get(member)}/reactions/x`)
    }
    await block(ada, bob)
    const [a, b] = await connectAll(server, ada, bob)
    for (const member of [ada, bob]) {
      const own = `${messages}/${of.get(member)}`
      for (const [method, path, body] of [
        ['POST', messages, { body: 'after' }],
        ['PATCH', own, { body: 'after' }],
        ['PUT', `${own}/reactions/y`],
        ['POST', `/dms/${dm}/convert-to-group`],
      ] as const)
        assert.equal(failure(await member.request(method, path, body)), '403 USER_BLOCKED', `${method} ${path}`)
    }
    assert.deepEqual([await a?.told(), await b?.told()], [[], []])
    assert.deepEqual(await textsIn(bob, dm), ['before', 'before'])
    assert.equal((await bob.post(`/dms/${dm}/read`, { up_to_msg_id: of.get(ada) })).status, 204)
    const up_to_msg_id = of.get(ada)
    assert.deepEqual(await b?.told(), [['dm_read_notify', { dm_id: dm, user_id: bob.userId, up_to_msg_id }]])
    assert.deepEqual(await a?.told(), [])
    assert.equal((await bob.delete(`${messages}/${of.get(bob)}/reactions/x`)).status, 204)
    assert.equal((await bob.delete(`${messages}/${of.get(bob)}`)).status, 204)
    assert.equal((await bob.delete(`/dms/${dm}`)).status, 204)
    assert.deepEqual(
      (await a?.told())?.map(([type]) => type),
      ['message_reaction_remove', 'message_delete'],
    )
    await ada.delete(`/users/@me/blocks/${bob.userId}`)
    await say(bob, dm, 'after')
    assert.deepEqual(await textsIn(ada, dm), ['before', 'after'])
  })

  it('keeps nobody from writing in a group, where only notifications stay away', async () => {
    await using server = await startTestServer(engine)
    const [ada, bob, cleo] = await registerAll(server, 'ada', 'bob', 'cleo')
    const dm = await createGroup(ada, bob, cleo)
    const messages = `/dms/${dm}/messages`
    const mine = await say(ada, dm)
    const yours = await say(bob, dm)
    await block(ada, bob)
    const [a, b, c] = await connectAll(server, ada, bob, cleo)
    for (const [from, to, message] of [
      [ada, bob, yours],
      [bob, ada, mine],
    ] as const) {
      const send = { body: 'x', mentions: [to.userId, cleo.userId], reply_to: message }
      assert.equal((await from.post(messages, send)).status, 201)
      assert.equal((await from.put(`${messages}/${message}/reactions/y`)).status, 204)
      assert.equal((await from.post(`/dms/${dm}/read`, { up_to_msg_id: message })).status, 204)
    }
    const heard = ['message_create', 'message_reaction_add', 'dm_read_notify']
    for (const session of [a, b])
      assert.deepEqual(
        (await session?.told())?.map(([type]) => type),
        [...heard, ...heard],
      )
    const all = ((await c?.told()) ?? []).map(([type]) => type)
    assert.equal(all.filter((type) => type === 'notification_create').length, 2)
  })

  it('set while messages are on their way lets through exactly those that everybody then finds', async () => {
    await using server = await startTestServer(engine)
    const [, ada, bob] = await registerAll(server, 'admin', 'ada', 'bob')
    const dm = await openPair(ada, bob)
    const send = (n: number) => bob.post(`/dms/${dm}/messages`, { body: String(n) })
    const [answers] = await Promise.all([Promise.all(Array.from({ length: 20 }, (_, n) => send(n))), block(ada, bob)])
    for (const answer of answers) assert.ok(['201 undefined', '403 USER_BLOCKED'].includes(failure(answer)))
    const sent = answers.filter(({ status }) => status === 201).length
    assert.equal((await textsIn(ada, dm)).length, sent)
    assert.equal((await textsIn(bob, dm)).length, sent)
  })
})
