import assert from 'node:assert/strict'
import type { Received, TestGateway, TestSocket } from '../../support/gateway.ts'
import type { Random } from './random.ts'
import type { ModelSession, View, World } from './world.ts'

/** How far a client has come in a session, and what it knows by then. */
interface Place {
  session: ModelSession
  id: string
  lastSeq: number
  view: View
}

/**
 * A client that behaves as the protocol wants it: it keeps its place in the sequence, resumes, identifies afresh when it
 * cannot, and keeps its picture of feeds and messages from what it read at `ready` and what it was told since. With each
 * event it checks that this is the one the model put at this place of the sequence.
 */
export class ModelClient {
  readonly userId: number
  readonly #token: string
  readonly #gateway: TestGateway
  readonly #world: World
  #socket: TestSocket | undefined
  #place: Place | undefined
  /** Places in sessions of which it has taken no leave. */
  readonly #abandoned: Place[] = []

  constructor(userId: number, token: string, gateway: TestGateway, world: World) {
    this.userId = userId
    this.#token = token
    this.#gateway = gateway
    this.#world = world
  }

  get isConnected(): boolean {
    return this.#socket !== undefined
  }

  /** Connects, by `resume` if there is something to resume; drops a connection it still has by that. */
  async connect(): Promise<void> {
    if (this.#place) await this.#resume(this.#place)
    else await this.#identify()
  }

  async #identify(): Promise<void> {
    this.#socket = await this.#gateway.identify(this.#token)
    const session = this.#world.open(this.userId)
    this.#place = { session, id: this.#socket.sessionId, lastSeq: 1, view: this.#world.viewOf(this.userId) }
  }

  async #resume(place: Place): Promise<void> {
    const old = this.#socket
    const refusal = this.#world.refusal(place.session, place.lastSeq)
    const socket = await this.#gateway.resume(this.#token, place.id, place.lastSeq)
    if (refusal === undefined) {
      place.session.lostAt = undefined
      this.#socket = socket
      const messages = await socket.rest()
      assert.deepEqual(messages.pop(), { type: 'resumed', d: { seq: place.session.events.length } })
      for (const message of messages) this.#accept(place, message)
      this.#checkAll(place)
    } else assert.equal(await closeCode(socket), refusal)
    if (old) assert.equal(await closeCode(old), refusal ?? 4009)
    if (refusal === undefined) return
    this.#world.forget(place.session)
    await this.#identify()
  }

  /** Reads all that was sent, and checks that it is all there is. */
  async read(): Promise<void> {
    if (!this.#socket || !this.#place) return
    for (const message of await this.#socket.rest()) this.#accept(this.#place, message)
    this.#checkAll(this.#place)
  }

  /** Loses the connection; the last messages had arrived but were not worked on. */
  async drop(unprocessed: number, now: number): Promise<void> {
    if (!this.#socket || !this.#place) return
    await this.read()
    await this.#socket.close()
    this.#socket = undefined
    this.goBack(unprocessed)
    this.#world.lose(this.#place.session, now)
  }

  /** Goes back in the sequence, as a client does that crashed before it wrote down where it was. */
  goBack(count: number): void {
    if (this.#place) this.#place.lastSeq = Math.max(1, this.#place.lastSeq - count)
  }

  /** Without a connection: gives the session up, and may take up again one that it gave up before. */
  change(random: Random): void {
    if (this.#place) this.#abandoned.push(this.#place)
    this.#place = random.chance(50) ? random.of(this.#abandoned.splice(0)) : undefined
  }

  /** The user is no member any more: all that was sent has arrived, and then the connection was closed for good. */
  async expelled(): Promise<void> {
    if (this.#socket && this.#place) {
      assert.equal((await this.#socket.closed)[0], 4004)
      for (let message = await this.#left(); message; message = await this.#left()) this.#accept(this.#place, message)
      assert.equal(this.#place.lastSeq, this.#place.session.events.length)
    }
    this.#socket = undefined
  }

  #left(): Promise<Received | undefined> | undefined {
    return this.#socket?.next().catch(() => undefined)
  }

  #accept(place: Place, { type, seq, d }: Received): void {
    place.lastSeq++
    assert.equal(seq, place.lastSeq)
    assert.equal(labelOf(type, d), place.session.events[place.lastSeq - 1])
    this.#apply(place, type, d)
  }

  // biome-ignore lint/suspicious/noExplicitAny: payloads of every shape
  #apply({ view }: Place, type: string, d: any): void {
    const messages = view.get(d.feed_id)
    if (type === 'feed_create')
      view.set(d.feed_id, this.#world.viewOf(this.userId).get(d.feed_id) ?? new Map<number, string>())
    else if (type === 'feed_delete') view.delete(d.feed_id)
    else if (type === 'message_create') messages?.set(d.msg_id, d.body)
    else if (type === 'message_update' && messages?.has(d.msg_id)) messages.set(d.msg_id, d.body)
    else if (type === 'message_delete') messages?.delete(d.msg_id)
  }

  #checkAll({ lastSeq, session, view }: Place): void {
    assert.equal(lastSeq, session.events.length, 'as many events as there are')
    assert.deepEqual(sorted(view), sorted(this.#world.viewOf(this.userId)))
  }
}

/** The code with which the server has closed the connection; fails if it has not. */
async function closeCode(socket: TestSocket): Promise<number> {
  await assert.rejects(socket.rest(), /closed/)
  return (await socket.closed)[0]
}

const sorted = (view: View) =>
  [...view].sort(([a], [b]) => a - b).map(([id, messages]) => [id, [...messages].sort(([a], [b]) => a - b)])

/** An event in as few words as tell it apart. */
// biome-ignore lint/suspicious/noExplicitAny: payloads of every shape
function labelOf(type: string, d: any): string {
  if (type === 'ready') return type
  const what = [d.feed_id, d.msg_id, d.body, d.role_id, d.user_id, d.space_id, d.target_type, d.target_id]
  return [type, ...what.filter((part) => part !== undefined)].join(' ')
}
