import { once } from 'node:events'
import { type IncomingMessage, request } from 'node:http'
import { text } from 'node:stream/consumers'
import { type ErrorEnvelope, stringifyJson } from '@vox/protocol'
import { FORM_TYPE } from './forms.ts'
import type { Client } from './server.ts'

/** A request with a JSON body, or with a form as it is. */
interface SlowRequest {
  method?: string
  path: string
  body: object | Buffer
}

/** A refused request, its body sent when something else has happened since it was let in; the answer in one line. */
export async function refusedMeanwhile(
  { url, token }: Client,
  { method = 'POST', path, body }: SlowRequest,
  meanwhile: () => Promise<unknown>,
): Promise<string> {
  const type = Buffer.isBuffer(body) ? FORM_TYPE : 'application/json'
  const headers = { authorization: `Bearer ${token}`, 'content-type': type, expect: '100-continue' }
  const sending = request(`${url}/api/v1${path}`, { method, headers })
  sending.flushHeaders()
  await once(sending, 'continue')
  await meanwhile()
  sending.end(Buffer.isBuffer(body) ? body : stringifyJson(body))
  const [answer] = (await once(sending, 'response')) as [IncomingMessage]
  return `${answer.statusCode} ${(JSON.parse(await text(answer)) as ErrorEnvelope).error?.code}`
}
