import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import {
  feedUpdate,
  type GatewayEvent,
  memberLeave,
  memberUpdate,
  messageCreate,
  presenceUpdate,
  roleUpdate,
  voiceCodecNeg,
  voiceStateUpdate,
} from '@vox/protocol'
import type { Audience } from '../../src/events/audience.ts'
import { problemWith } from '../support/checked-bus.ts'
import { sqlite } from '../support/engines.ts'
import { problemOf } from '../support/payloads.ts'
import { startTestServer } from '../support/server.ts'

const MEMBERS: Audience = { to: 'members' }
const VIEWERS: Audience = { to: 'viewers', space: { type: 'feed', id: 7 } }
const MESSAGE = { msg_id: 1n, author_id: 1, body: 'hi', timestamp: 1, feed_id: 7 }

/** What the check says of an event whose payload the compiler has not seen. */
const problem = (event: GatewayEvent, data: Record<string, unknown>, audience: Audience = MEMBERS) =>
  problemWith({ event, data, audience })

describe('the check of published events', () => {
  it('finds nothing wrong with what is declared', () => {
    assert.equal(problem(messageCreate, MESSAGE, VIEWERS), undefined)
    assert.equal(problem(messageCreate, { ...MESSAGE, author_id: null, body: null, webhook_id: 3 }, VIEWERS), undefined)
    assert.equal(problem(feedUpdate, { feed_id: 7, topic: null, name: undefined }, VIEWERS), undefined)
    assert.equal(problem(memberUpdate, { user_id: 1 }), undefined)
    const activity = { any: [{ thing: 1n }], ['__proto__']: { constructor: 1 } }
    assert.equal(problem(presenceUpdate, { user_id: 1, status: 'idle', activity }), undefined)
    const negotiation = { room_id: 1, user_id: 1, media_type: '', codec: 'opus', spatial_layers: 2 }
    assert.equal(problemOf(voiceCodecNeg.data, negotiation, 'code'), undefined)
  })

  const wrong: [what: string, event: GatewayEvent, data: Record<string, unknown>, audience?: Audience][] = [
    ['a missing key', messageCreate, { ...MESSAGE, author_id: undefined }, VIEWERS],
    ['an unknown key', messageCreate, { ...MESSAGE, token: 'secret' }, VIEWERS],
    ['an unknown key that every object has', messageCreate, { ...MESSAGE, ['__proto__']: 'secret' }, VIEWERS],
    ['a key of all functions', messageCreate, { ...MESSAGE, constructor: 'secret' }, VIEWERS],
    ['null for a key to be left out', memberUpdate, { user_id: 1, nickname: null }],
    ['text for an integer', memberLeave, { user_id: '1' }],
    ['an id of 0', memberLeave, { user_id: 0 }],
    ['an id beyond 32 bits', memberLeave, { user_id: 2 ** 32 }],
    ['a fraction', messageCreate, { ...MESSAGE, timestamp: 1.5 }, VIEWERS],
    ['a number for a 64-bit integer', messageCreate, { ...MESSAGE, msg_id: 1 }, VIEWERS],
    ['a number beyond 64 bits', roleUpdate, { role_id: 1, permissions: 2n ** 63n }],
    ['a negative permission set', roleUpdate, { role_id: 1, permissions: -1n }],
    ['an integer for a flag', voiceStateUpdate, { room_id: 1, members: [{ user_id: 1, mute: 0 }] }],
    ['a lone surrogate', messageCreate, { ...MESSAGE, body: '\ud800' }, VIEWERS],
    ['an unknown word', presenceUpdate, { user_id: 1, status: 'away' }],
    ['an empty custom status', presenceUpdate, { user_id: 1, status: 'idle', custom_status: '' }],
    ['a list for an object', presenceUpdate, { user_id: 1, status: 'idle', activity: [] }],
    ['something else for a list', messageCreate, { ...MESSAGE, mentions: 7 }, VIEWERS],
    ['an empty list', messageCreate, { ...MESSAGE, mentions: [] }, VIEWERS],
    ['a wrong element', messageCreate, { ...MESSAGE, mentions: [1, -1] }, VIEWERS],
    ['two places', messageCreate, { ...MESSAGE, dm_id: 7 }, VIEWERS],
    ['an update of nothing', feedUpdate, { feed_id: 7 }, VIEWERS],
    ['more than a client takes', messageCreate, { ...MESSAGE, body: 'x'.repeat(1_048_500) }, VIEWERS],
    ['an event nobody has declared', { ...memberLeave, type: 'member_gone' }, { user_id: 1 }],
    ['everybody as audience of a message', messageCreate, MESSAGE, MEMBERS],
    ['viewers of another feed', messageCreate, { ...MESSAGE, feed_id: 8 }, VIEWERS],
    ['users beside the audience', memberLeave, { user_id: 1 }, { ...MEMBERS, and: [2] }],
  ]
  for (const [what, event, data, audience] of wrong) {
    it(`catches ${what}`, () => assert.notEqual(problem(event, data, audience), undefined))
  }

  it('takes small 64-bit integers as numbers from a client, which parsed them', () => {
    assert.equal(problemOf(messageCreate.data, { ...MESSAGE, msg_id: 1 }, 'wire'), undefined)
    assert.notEqual(problemOf(messageCreate.data, { ...MESSAGE, msg_id: 2 ** 60 }, 'wire'), undefined)
  })
})

describe('a test server', () => {
  it('cannot be closed quietly after it has published a wrong event', async () => {
    const server = await startTestServer(sqlite)
    server.bus.publish({ event: memberLeave, data: { user_id: 0 }, audience: { to: 'users', users: [] } })
    await assert.rejects(server.close(), /member_leave: d.user_id is 0, out of range/)
  })

  it('cannot be closed quietly after it has sent what sync does not know of', async () => {
    const server = await startTestServer(sqlite)
    await server.register('ada')
    server.bus.publish({ event: memberLeave, data: { user_id: 1 }, audience: MEMBERS })
    await assert.rejects(server.close(), /not in the event log/)
  })
})
