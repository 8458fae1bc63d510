import { once } from 'node:events'
import { type IncomingMessage, request } from 'node:http'
import { text } from 'node:stream/consumers'
import { type ErrorEnvelope, stringifyJson } from '@vox/protocol'
import type { Client } from './server.ts'

/** A refused request, its body sent when something else has happened since it was let in; the answer in one line. */
export async function refusedMeanwhile(
  { url, token }: Client,
  { method = 'POST', path, body }: { method?: string; path: string; body: unknown },
  meanwhile: () => Promise<unknown>,
): Promise<string> {
  const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json', expect: '100-continue' }
  const sending = request(`${url}/api/v1${path}`, { method, headers })
  sending.flushHeaders()
  await once(sending, 'continue')
  await meanwhile()
  sending.end(stringifyJson(body))
  const [answer] = (await once(sending, 'response')) as [IncomingMessage]
  return `${answer.statusCode} ${(JSON.parse(await text(answer)) as ErrorEnvelope).error?.code}`
}
