import assert from 'node:assert/strict'
import { it } from 'node:test'
import { type Member, registerAll } from '../support/community.ts'
import { createGroup, openPair } from '../support/conversations.ts'
import { forEachEngine } from '../support/engines.ts'
import { failure, startTestServer, type TestServer } from '../support/server.ts'

/** What becomes of three ways to begin something with a user: a conversation, a group, being added to a group. */
async function beginnings(from: Member, group: number, to: Member): Promise<string[]> {
  return [
    failure(await from.post('/dms', { recipient_id: to.userId })),
    failure(await from.post('/dms', { recipient_ids: [to.userId] })),
    failure(await from.put(`/dms/${group}/recipients/${to.userId}`)),
  ]
}

const all = (outcome: string) => [outcome, outcome, outcome]
const WELCOME = ['201 undefined', '201 undefined', '204 undefined']

async function strangers(server: TestServer) {
  const [, ada, bob] = await registerAll(server, 'admin', 'ada', 'bob')
  return { ada, bob, group: await createGroup(ada) }
}

const prefer = (member: Member, dm_permission: string) => member.patch('/users/@me/dm-settings', { dm_permission })

forEachEngine('who may begin a conversation', (engine) => {
  it('is everybody, or all members, or nobody', async () => {
    await using server = await startTestServer(engine)
    const { ada, bob, group } = await strangers(server)
    await prefer(bob, 'nobody')
    assert.deepEqual(await beginnings(ada, group, bob), all('403 DM_PERMISSION_DENIED'))
    await prefer(bob, 'mutual_servers')
    assert.deepEqual(await beginnings(ada, group, bob), WELCOME)
    await prefer(bob, 'everyone')
    assert.deepEqual(await beginnings(ada, await createGroup(ada), bob), WELCOME)
  })

  it('is an accepted friend, where somebody wants it so', async () => {
    await using server = await startTestServer(engine)
    const { ada, bob, group } = await strangers(server)
    await prefer(bob, 'friends_only')
    const cleo = await server.register('cleo')
    await cleo.put(`/users/@me/friends/${bob.userId}`)
    await bob.post(`/users/@me/friends/${cleo.userId}/accept`)
    await ada.put(`/users/@me/friends/${bob.userId}`)
    assert.deepEqual(await beginnings(ada, group, bob), all('403 DM_PERMISSION_DENIED'))
    await bob.post(`/users/@me/friends/${ada.userId}/accept`)
    assert.deepEqual(await beginnings(ada, group, bob), WELCOME)
  })

  it('is nobody on the other side of a block, whoever set it', async () => {
    await using server = await startTestServer(engine)
    const { ada, bob, group } = await strangers(server)
    for (const [one, other] of [
      [ada, bob],
      [bob, ada],
    ] as const) {
      await one.put(`/users/@me/blocks/${other.userId}`)
      assert.deepEqual(await beginnings(ada, group, bob), all('403 USER_BLOCKED'))
      await one.delete(`/users/@me/blocks/${other.userId}`)
    }
    assert.deepEqual(await beginnings(ada, group, bob), WELCOME)
  })

  it('does not matter once a conversation of two is there; converting it minds a block', async () => {
    await using server = await startTestServer(engine)
    const { ada, bob } = await strangers(server)
    const dm = await openPair(ada, bob)
    await prefer(bob, 'nobody')
    assert.equal(await openPair(ada, bob), dm)
    await bob.put(`/users/@me/blocks/${ada.userId}`)
    for (const [one, other] of [
      [ada, bob],
      [bob, ada],
    ] as const) {
      assert.equal(await openPair(one, other), dm)
      assert.equal(failure(await one.post(`/dms/${dm}/convert-to-group`)), '403 USER_BLOCKED')
    }
  })
})
