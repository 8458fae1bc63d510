import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { Permission } from '@vox/protocol'
import type { StageAnswer, VoiceFlags, VoiceRooms } from '../../src/gateway/voice.ts'
import { EVERYONE, type Received, TestGateway, type TestSocket } from '../support/gateway.ts'

const ROOM = 3

/** Users 1 and 2 are in the room. */
class OneRoom implements VoiceRooms {
  readonly changes: [userId: number, VoiceFlags][] = []
  readonly answers: [userId: number, StageAnswer][] = []

  roomOf = (userId: number) => (userId < 3 ? ROOM : undefined)
  usersIn = (roomId: number) => (roomId === ROOM ? [1, 2] : [])
  change = (userId: number, flags: VoiceFlags) => void this.changes.push([userId, flags])
  answer = (userId: number, answer: StageAnswer) => void this.answers.push([userId, answer])
}

/** Sockets of the users 1 to 3, of whom the third is in no room. */
async function gathering(rooms?: VoiceRooms): Promise<{ gateway: TestGateway; sockets: TestSocket[] }> {
  const gateway = await TestGateway.start(undefined, rooms)
  gateway.community.setRole({ id: EVERYONE, position: 0, permissions: Permission.VIEW_SPACE, builtin: true })
  const sockets = []
  for (const userId of [1, 2, 3]) sockets.push(await gateway.identify(gateway.member(userId)))
  for (const socket of sockets) await socket.rest()
  return { gateway, sockets }
}

function allow(gateway: TestGateway, permissions: bigint): void {
  gateway.community.setRole({
    id: EVERYONE,
    position: 0,
    permissions: Permission.VIEW_SPACE | permissions,
    builtin: true,
  })
}

const said = (messages: Received[]) => messages.map(({ type, d }) => [type, d?.code ?? d])

/** What each socket is told when the first one sends these commands. */
async function told(sockets: TestSocket[], ...commands: [type: string, d: unknown][]): Promise<unknown[]> {
  for (const [type, d] of commands) sockets[0]?.send(type, d)
  const all = []
  for (const socket of sockets) all.push(said(await socket.rest()))
  return all
}

const COMMANDS = ['voice_state_update', 'voice_codec_neg', 'stage_response']

describe('commands of voice rooms', () => {
  it('are silence from somebody who is in none', async () => {
    for (const rooms of [undefined, { ...new OneRoom(), roomOf: () => undefined }]) {
      const { gateway, sockets } = await gathering(rooms)
      await using _ = gateway
      const silence = await told(
        sockets,
        ['voice_state_update', { self_mute: true, video: true }],
        ['voice_codec_neg', { room_id: ROOM, codec: 'opus' }],
        ['stage_response', { room_id: ROOM, response_type: 'invite_ack', accepted: true }],
        ['stage_response', { room_id: ROOM, response_type: 'request_ack' }],
      )
      assert.deepEqual(silence, [[], [], []])
    }
  })

  it('name a room, where they have to', async () => {
    const { gateway, sockets } = await gathering(new OneRoom())
    await using _ = gateway
    for (const type of COMMANDS.slice(1))
      for (const d of [undefined, {}, { room_id: null, codec: 'opus' }])
        assert.deepEqual(await told(sockets, [type, d]), [[['error', 'MISSING_ROOM_ID']], [], []])
  })

  const wrong: [type: string, d: object][] = [
    ['voice_state_update', { self_mute: 1 }],
    ['voice_state_update', { self_deaf: 'true' }],
    ['voice_state_update', { self_mute: true, video: {} }],
    ['voice_state_update', { streaming: [] }],
    ['voice_codec_neg', { room_id: `${ROOM}` }],
    ['voice_codec_neg', { room_id: 1.5 }],
    ['voice_codec_neg', { room_id: ROOM, codec: 7 }],
    ['voice_codec_neg', { room_id: ROOM, media_type: ['audio'] }],
    ['voice_codec_neg', { room_id: ROOM, note: '\0' }],
    ['stage_response', { room_id: -1 }],
    ['stage_response', { room_id: ROOM, accepted: 'yes' }],
    ['stage_response', { room_id: ROOM, response_type: 5 }],
    ['stage_response', { room_id: ROOM, response_type: 'x'.repeat(65) }],
    ['stage_response', { room_id: ROOM, target_id: '2' }],
    ['stage_response', { room_id: ROOM, target_id: 0 }],
  ]
  it('are refused with fields of a wrong type, and nothing of them is done', async () => {
    const rooms = new OneRoom()
    const { gateway, sockets } = await gathering(rooms)
    await using _ = gateway
    for (const [type, d] of wrong)
      assert.deepEqual(await told(sockets, [type, d]), [[['error', 'VALIDATION_ERROR']], [], []], JSON.stringify(d))
    assert.deepEqual([rooms.changes, rooms.answers], [[], []])
  })
})

describe('voice_state_update', () => {
  it('changes what is given, and needs VIDEO and STREAM for pictures only', async () => {
    const rooms = new OneRoom()
    const { gateway, sockets } = await gathering(rooms)
    await using _ = gateway
    const refused = [[['error', 'MISSING_PERMISSIONS']], [], []]
    assert.deepEqual(await told(sockets, ['voice_state_update', { self_mute: true, video: true }]), refused)
    assert.deepEqual(await told(sockets, ['voice_state_update', { streaming: true, video: false }]), refused)
    assert.deepEqual(rooms.changes, [])
    await told(sockets, ['voice_state_update', { self_mute: true, self_deaf: null, video: false, streaming: false }])
    allow(gateway, Permission.VIDEO)
    assert.deepEqual(await told(sockets, ['voice_state_update', { video: true, streaming: true }]), refused)
    allow(gateway, Permission.VIDEO | Permission.STREAM)
    await told(sockets, ['voice_state_update', { video: true, streaming: true }])
    assert.deepEqual(rooms.changes, [
      [1, { self_mute: true, video: false, streaming: false }],
      [1, { video: true, streaming: true }],
    ])
  })
})

describe('voice_codec_neg', () => {
  it('reaches everybody in the room with all its keys; room and sender are the server’s word', async () => {
    const { gateway, sockets } = await gathering(new OneRoom())
    await using _ = gateway
    const layers = { spatial_layers: 3, target_bitrates: [1, 2n ** 60n], more: { any: null } }
    const given = { room_id: ROOM, user_id: 99, media_type: 'video', codec: 'av1', ...layers }
    const event = ['voice_codec_neg', { ...given, user_id: 1 }]
    assert.deepEqual(await told(sockets, ['voice_codec_neg', given]), [[event], [event], []])
    const empty = ['voice_codec_neg', { room_id: ROOM, user_id: 1, media_type: '', codec: '' }]
    assert.deepEqual(await told(sockets, ['voice_codec_neg', { room_id: ROOM }]), [[empty], [empty], []])
  })

  it('goes nowhere for another room, and may not be too large', async () => {
    const { gateway, sockets } = await gathering(new OneRoom())
    await using _ = gateway
    gateway.limit('relay_payload_max', 100)
    assert.deepEqual(await told(sockets, ['voice_codec_neg', { room_id: 4 }]), [[], [], []])
    const codec = 'x'.repeat(100 - '{"room_id":3,"codec":""}'.length)
    const [own] = (await told(sockets, ['voice_codec_neg', { room_id: ROOM, codec }])) as unknown[][]
    assert.equal(own?.length, 1)
    const tooLarge = await told(sockets, ['voice_codec_neg', { room_id: ROOM, codec: `${codec}x` }])
    assert.deepEqual(tooLarge, [[['error', 'PAYLOAD_TOO_LARGE']], [], []])
  })
})

describe('stage_response', () => {
  it('tells everybody in the room the known keys, and does what the answer means', async () => {
    const rooms = new OneRoom()
    const { gateway, sockets } = await gathering(rooms)
    await using _ = gateway
    const given = { room_id: ROOM, response_type: 'invite_ack', accepted: true, user_id: 99, secret: 1 }
    const event = ['stage_response', { room_id: ROOM, user_id: 1, response_type: 'invite_ack', accepted: true }]
    assert.deepEqual(await told(sockets, ['stage_response', given]), [[event], [event], []])
    const bare = ['stage_response', { room_id: ROOM, user_id: 1 }]
    assert.deepEqual(await told(sockets, ['stage_response', { room_id: ROOM }]), [[bare], [bare], []])
    assert.deepEqual(rooms.answers, [[1, { kind: 'invite_ack', accepted: true }]])
  })

  it('to a request needs STAGE_MODERATOR in the room', async () => {
    const rooms = new OneRoom()
    const { gateway, sockets } = await gathering(rooms)
    await using _ = gateway
    const given = { room_id: ROOM, response_type: 'request_ack', accepted: false, target_id: 2 }
    assert.deepEqual(await told(sockets, ['stage_response', given]), [[['error', 'MISSING_PERMISSIONS']], [], []])
    allow(gateway, Permission.STAGE_MODERATOR)
    const event = ['stage_response', { ...given, user_id: 1 }]
    assert.deepEqual(await told(sockets, ['stage_response', given]), [[event], [event], []])
    assert.deepEqual(rooms.answers, [[1, { kind: 'request_ack', accepted: false, targetId: 2 }]])
  })
})
