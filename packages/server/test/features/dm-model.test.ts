import assert from 'node:assert/strict'
import { it } from 'node:test'
import fc from 'fast-check'
import { type Member, registerAll } from '../support/community.ts'
import { textsIn } from '../support/conversations.ts'
import { forEachEngine } from '../support/engines.ts'
import { failure, startTestServer, type TestServer } from '../support/server.ts'

/*
 * Who can read and write what, after any history of blocks, departures, openings and partings. The model is the chapter
 * in a few lines; the server has to agree with every answer it predicts.
 */

const USERS = 4
const GROUP_MAX = 3

interface Dm {
  id: number
  isGroup: boolean
  /** Indexes of users, in the order of joining. */
  parts: number[]
  hidden: Set<number>
  texts: string[]
}

const KINDS = [
  ...['block', 'unblock', 'ban', 'unban', 'kick', 'return', 'open', 'open', 'close', 'group', 'convert'],
  ...['add', 'add', 'remove', 'send', 'send', 'send', 'edit'],
] as const

type Kind = (typeof KINDS)[number]

interface Step {
  kind: Kind
  by: number
  other: number
  /** Which conversation, of those there are. */
  at: number
}

const steps = fc.array(
  fc.record<Step>({
    kind: fc.constantFrom(...KINDS),
    by: fc.nat(USERS - 1),
    other: fc.nat(USERS - 1),
    at: fc.nat(30),
  }),
  { minLength: 30, maxLength: 50 },
)

class Model {
  readonly dms: Dm[] = []
  readonly blocks = new Set<string>()
  readonly banned = new Set<number>()
  readonly away = new Set<number>()

  isActive = (user: number) => !this.banned.has(user) && !this.away.has(user)

  areApart = (one: number, other: number) => this.blocks.has(`${one} ${other}`) || this.blocks.has(`${other} ${one}`)

  pair = (one: number, other: number) =>
    this.dms.find(({ isGroup, parts }) => !isGroup && parts.includes(one) && parts.includes(other))

  /** Why this user may not write to the others of a conversation of two, if so. */
  isCut({ isGroup, parts }: Dm, by: number): boolean {
    return !isGroup && parts.some((other) => this.areApart(by, other))
  }

  listOf = (user: number) => this.dms.filter(({ parts, hidden }) => parts.includes(user) && !hidden.has(user))

  /** Why these two may not begin something, if so. */
  refusal(by: number, other: number): string | undefined {
    if (!this.isActive(other)) return '404 USER_NOT_FOUND'
    return this.areApart(by, other) ? '403 USER_BLOCKED' : undefined
  }

  part(dm: Dm, user: number): void {
    dm.parts = dm.parts.filter((other) => other !== user)
    if (dm.parts.length === 0) this.dms.splice(this.dms.indexOf(dm), 1)
  }
}

/** A server and the model of it, which take the same steps. */
class Trial {
  readonly model = new Model()
  readonly #admin: Member
  readonly #users: Member[]
  readonly #invite: string
  #said = 0

  constructor(admin: Member, users: Member[], invite: string) {
    this.#admin = admin
    this.#users = users
    this.#invite = invite
  }

  static async begin(server: TestServer): Promise<Trial> {
    const [admin, ...users] = await registerAll(server, 'admin', 'ada', 'bob', 'cleo', 'dan')
    assert.ok(admin)
    return new Trial(admin, users, (await admin.post('/invites', {})).body.code)
  }

  user(index: number): Member {
    const user = this.#users[index]
    assert.ok(user)
    return user
  }

  async take({ kind, by, other, at }: Step): Promise<void> {
    const { model } = this
    const [caller, target] = [this.user(by), this.user(other)]
    const dm = model.dms[at % Math.max(model.dms.length, 1)]
    const isPart = dm?.parts.includes(by)
    const ask = async (method: string, path: string, body: object | undefined, expected: string) => {
      const answer = await caller.request(method, path, body)
      assert.equal(failure(answer), model.isActive(by) ? expected : '403 BANNED', `${method} ${path}`)
      return answer
    }
    const mayAct = model.isActive(by)
    switch (kind) {
      case 'ban':
        await this.#admin.put(`/bans/${caller.userId}`)
        model.banned.add(by)
        model.away.delete(by)
        return
      case 'unban':
        await this.#admin.delete(`/bans/${caller.userId}`)
        model.banned.delete(by)
        return
      case 'kick':
        if (!mayAct) return
        await this.#admin.delete(`/members/${caller.userId}`)
        model.away.add(by)
        return
      case 'return':
        if (!model.away.has(by)) return
        await caller.post('/members/join', { invite_code: this.#invite })
        model.away.delete(by)
        return
      case 'block':
        if (by === other) return
        await ask('PUT', `/users/@me/blocks/${target.userId}`, undefined, '204 undefined')
        if (mayAct) model.blocks.add(`${by} ${other}`)
        return
      case 'unblock':
        await ask('DELETE', `/users/@me/blocks/${target.userId}`, undefined, '204 undefined')
        if (mayAct) model.blocks.delete(`${by} ${other}`)
        return
      case 'open': {
        const there = model.pair(by, other)
        const refusal = by === other ? '400 INVALID_TARGET' : there ? undefined : model.refusal(by, other)
        const { body } = await ask('POST', '/dms', { recipient_id: target.userId }, refusal ?? '201 undefined')
        if (!mayAct || refusal) return
        if (there) assert.equal(body.dm_id, there.id)
        there?.hidden.delete(by)
        if (!there) model.dms.push({ id: body.dm_id, isGroup: false, parts: [by, other], hidden: new Set(), texts: [] })
        return
      }
      case 'group': {
        const parts = [...new Set([by, other])]
        const refusal = by === other ? undefined : model.refusal(by, other)
        const wanted = { recipient_ids: [target.userId] }
        const { body } = await ask('POST', '/dms', wanted, refusal ?? '201 undefined')
        if (mayAct && !refusal) model.dms.push({ id: body.dm_id, isGroup: true, parts, hidden: new Set(), texts: [] })
        return
      }
    }
    if (!dm) return
    const path = `/dms/${dm.id}`
    const orOutside = (expected: string) => (isPart ? expected : '403 NOT_DM_PARTICIPANT')
    switch (kind) {
      case 'close':
        await ask('DELETE', path, undefined, orOutside('204 undefined'))
        if (!mayAct || !isPart) return
        if (dm.isGroup) model.part(dm, by)
        else dm.hidden.add(by)
        return
      case 'convert': {
        const isCut = model.isCut(dm, by)
        await ask(
          'POST',
          `${path}/convert-to-group`,
          undefined,
          orOutside(isCut ? '403 USER_BLOCKED' : '200 undefined'),
        )
        if (!mayAct || !isPart || isCut) return
        dm.isGroup = true
        dm.hidden.clear()
        return
      }
      case 'add': {
        const refusal = this.#refusalToAdd(dm, by, other)
        await ask('PUT', `${path}/recipients/${target.userId}`, undefined, orOutside(refusal ?? '204 undefined'))
        if (mayAct && isPart && !refusal && !dm.parts.includes(other)) dm.parts.push(other)
        return
      }
      case 'remove': {
        const refusal = by === other ? '400 INVALID_OPERATION' : dm.isGroup ? undefined : '400 NOT_GROUP_DM'
        await ask('DELETE', `${path}/recipients/${target.userId}`, undefined, orOutside(refusal ?? '204 undefined'))
        if (mayAct && isPart && !refusal) model.part(dm, other)
        return
      }
      case 'send': {
        const body = `text ${++this.#said}`
        const isCut = model.isCut(dm, by)
        await ask('POST', `${path}/messages`, { body }, orOutside(isCut ? '403 USER_BLOCKED' : '201 undefined'))
        if (!mayAct || !isPart || isCut) return
        dm.texts.push(body)
        dm.hidden.clear()
        return
      }
      case 'edit':
        await ask('PATCH', `${path}/messages/1`, { body: 'x' }, orOutside('404 MESSAGE_NOT_FOUND'))
    }
  }

  #refusalToAdd(dm: Dm, by: number, other: number): string | undefined {
    if (!dm.isGroup) return '400 NOT_GROUP_DM'
    if (!this.model.isActive(other)) return '404 USER_NOT_FOUND'
    if (dm.parts.includes(other)) return undefined
    return dm.parts.length >= GROUP_MAX ? '400 TOO_MANY_RECIPIENTS' : this.model.refusal(by, other)
  }

  /** Compares what everybody is shown with the model. */
  async check(): Promise<void> {
    for (let index = 0; index < USERS; index++) {
      if (!this.model.isActive(index)) continue
      const user = this.user(index)
      const { items } = (await user.get('/dms')).body
      const expected = this.model.listOf(index).map(({ id, isGroup, parts }) => [id, isGroup, parts.map(this.#idOf)])
      const shown = items.map((item: Record<string, unknown>) => [item.dm_id, item.is_group, item.participant_ids])
      assert.deepEqual(shown, expected)
      for (const { id, parts, texts } of this.model.dms)
        if (parts.includes(index)) assert.deepEqual(await textsIn(user, id), texts)
        else assert.equal(failure(await user.get(`/dms/${id}/messages`)), '403 NOT_DM_PARTICIPANT')
    }
  }

  readonly #idOf = (index: number): number => this.user(index).userId
}

forEachEngine('conversations', (engine) => {
  it('are read and written by whom the rules say, whatever has happened', async () => {
    const env = { VOX_LIMIT_GROUP_DM_RECIPIENTS_MAX: String(GROUP_MAX) }
    const follows = fc.asyncProperty(steps, async (history) => {
      await using server = await startTestServer(engine, { env })
      const trial = await Trial.begin(server)
      for (const [n, step] of history.entries()) {
        await trial.take(step)
        if (n % 10 === 9) await trial.check()
      }
      await trial.check()
    })
    await fc.assert(follows, { numRuns: 6 })
  })
})
