import assert from 'node:assert/strict'
import type { Client } from './server.ts'

/** Opens the conversation of two; its id. */
export async function openPair(client: Client, { userId }: { userId: number }): Promise<number> {
  const answer = await client.post('/dms', { recipient_id: userId })
  assert.equal(answer.status, 201, JSON.stringify(answer.body?.error))
  return answer.body.dm_id
}

/** Creates a group of the client and others; its id. */
export async function createGroup(client: Client, ...others: { userId: number }[]): Promise<number> {
  const answer = await client.post('/dms', { recipient_ids: others.map(({ userId }) => userId) })
  assert.equal(answer.status, 201, JSON.stringify(answer.body?.error))
  return answer.body.dm_id
}

/** Ids of the conversations on the client's list. */
export async function listed(client: Client): Promise<number[]> {
  const { items } = (await client.get('/dms')).body
  return items.map(({ dm_id }: { dm_id: number }) => dm_id)
}

/** Says something in a conversation; the message's id. */
export async function say(client: Client, dm: number, body = 'hello'): Promise<bigint> {
  const answer = await client.post(`/dms/${dm}/messages`, { body })
  assert.equal(answer.status, 201, JSON.stringify(answer.body?.error))
  return answer.body.msg_id
}

/** The texts in a conversation, oldest first. */
export async function textsIn(client: Client, dm: number): Promise<string[]> {
  const { messages } = (await client.get(`/dms/${dm}/messages`)).body
  return messages.map(({ body }: { body: string }) => body).reverse()
}
