import assert from 'node:assert/strict'
import { it } from 'node:test'
import { auditTypes, createFeed, registerAll } from '../support/community.ts'
import { forEachEngine } from '../support/engines.ts'
import { filePart, postForm } from '../support/forms.ts'
import { failure, startTestServer } from '../support/server.ts'
import { countRows } from '../support/sql.ts'

const memberActs = (types: string[]) => types.filter((type) => /^member\.(kick|ban|update)$/.test(type))

forEachEngine('two moderators at the same instant', (engine) => {
  it('rename and kick a member: the name is given before the kick or not at all', async () => {
    await using server = await startTestServer(engine)
    const [ada] = await registerAll(server, 'ada', 'bob')
    const [renamed, kicked] = await Promise.all([ada.patch('/members/2', { nickname: 'b' }), ada.delete('/members/2')])
    assert.equal(kicked.status, 204)
    const acts = memberActs(await auditTypes(ada))
    if (renamed.status === 200) assert.deepEqual(acts, ['member.update', 'member.kick'])
    else assert.deepEqual([failure(renamed), acts], ['404 USER_NOT_FOUND', ['member.kick']])
    assert.equal(failure(await ada.get('/members/2')), '404 USER_NOT_FOUND')
  })

  it('kick and ban a member, who is banned once and kicked before that or not at all', async () => {
    await using server = await startTestServer(engine)
    const [ada] = await registerAll(server, 'ada', 'bob')
    const answers = await Promise.all([ada.delete('/members/2'), ada.put('/bans/2', {})])
    assert.deepEqual(
      answers.map(({ status }) => status),
      [204, 200],
    )
    const acts = memberActs(await auditTypes(ada))
    assert.ok(['member.ban', 'member.kick,member.ban'].includes(acts.join()), acts.join())
    assert.equal((await ada.get('/bans')).body.items.length, 1)
  })

  it('give and delete a role, which nobody holds in the end', async () => {
    await using server = await startTestServer(engine)
    const [ada] = await registerAll(server, 'ada', 'bob')
    const { role_id } = (await ada.post('/roles', { name: 'role' })).body
    const [given, deleted] = await Promise.all([
      ada.put(`/members/2/roles/${role_id}`),
      ada.delete(`/roles/${role_id}`),
    ])
    assert.equal(deleted.status, 204)
    assert.ok([204, 404].includes(given.status))
    assert.deepEqual((await ada.get('/members/2')).body.role_ids, [])
  })

  it('write in a feed and delete it, and no message is left', async () => {
    await using server = await startTestServer(engine)
    const [ada, bob] = await registerAll(server, 'ada', 'bob')
    const feed = await createFeed(ada)
    const [sent, deleted] = await Promise.all([
      bob.post(`/feeds/${feed}/messages`, { body: 'hi' }),
      ada.delete(`/feeds/${feed}`),
    ])
    assert.equal(deleted.status, 204)
    assert.ok([201, 404].includes(sent.status))
    assert.deepEqual(await countRows(server.databaseUrl, 'select 1 from messages'), [0])
  })

  it('upload to a feed and delete it, and each file came before or not at all', async () => {
    await using server = await startTestServer(engine)
    const [ada] = await registerAll(server, 'ada')
    const feed = await createFeed(ada)
    const uploads = () => Array.from({ length: 5 }, () => postForm(ada, `/feeds/${feed}/files`, filePart('x')))
    const answers = await Promise.all([...uploads(), ada.delete(`/feeds/${feed}`), ...uploads()])
    const outcomes = new Set(answers.map(failure))
    for (const expected of ['201 undefined', '204 undefined', '404 SPACE_NOT_FOUND']) outcomes.delete(expected)
    assert.deepEqual([...outcomes], [])
  })
})

forEachEngine('a walk by cursor', (engine) => {
  it('goes on where it was when the member it stands on goes and others come', async () => {
    await using server = await startTestServer(engine)
    const [ada] = await registerAll(server, 'ada', 'bob', 'cid', 'dan')
    const first = (await ada.get('/members?limit=2')).body
    await ada.delete('/members/2')
    await server.register('eve')
    const { items } = (await ada.get(`/members?limit=9&cursor=${first.cursor}`)).body
    assert.deepEqual(
      items.map(({ user_id }: { user_id: number }) => user_id),
      [3, 4, 5],
    )
  })
})
