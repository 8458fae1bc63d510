import { createHmac } from 'node:crypto'
import { DecodeError, decode, type Limits, parseJson, stringifyJson } from '@vox/protocol'
import { InteractionResponse } from '@vox/protocol/endpoints'
import { seconds } from '../../clock.ts'
import type { Outbound } from '../../outbound/outbound.ts'
import { OutboundFailure } from '../../outbound/outbound.ts'
import { type Interaction, payloadOf } from './interaction.ts'

/** All the time a callback may take, and what is read of its answer. */
export const CALLBACK_MS = 5_000
const MAX_ANSWER = 65_536

interface Callback {
  url: string
  secret: string
  now: number
  limits: Limits
}

/**
 * Posts an interaction to the bot's URL, signed, and reads what the bot answers (spec 04, section 11.5); undefined if
 * that is nothing.
 *
 * @throws ApiError `INVALID_URL`, OutboundFailure or DecodeError for all that is no answer.
 */
export async function callBack(
  outbound: Outbound,
  interaction: Interaction,
  { url, secret, now, limits }: Callback,
): Promise<InteractionResponse | undefined> {
  const { interaction: payload } = payloadOf(interaction)
  const body = stringifyJson(payload)
  const timestamp = String(seconds(now))
  const answer = await outbound.fetch(url, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      'x-vox-timestamp': timestamp,
      'x-vox-signature': signature(secret, timestamp, body),
    },
    body,
    timeoutMs: CALLBACK_MS,
    maxBytes: MAX_ANSWER,
  })
  if (answer.status < 200 || answer.status > 299) throw new OutboundFailure(`status ${answer.status}`)
  const text = answer.body.toString().trim()
  return text === '' ? undefined : decode(InteractionResponse, parsed(text), limits)
}

/** By which the bot knows that it is this server who asks. */
export function signature(secret: string, timestamp: string, body: string): string {
  return `v1=${createHmac('sha256', secret).update(`${timestamp}.${body}`).digest('hex')}`
}

function parsed(text: string): unknown {
  try {
    return parseJson(text)
  } catch {
    throw new DecodeError('', 'is not JSON')
  }
}
