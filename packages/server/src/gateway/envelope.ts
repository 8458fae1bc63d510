import { isUtf8 } from 'node:buffer'
import { heartbeat, parseJson } from '@vox/protocol'
import { GatewayClose } from './failures.ts'

/** A client message; one without a type is none that anybody knows. */
export interface Message {
  type: string | undefined
  d: Readonly<Record<string, unknown>>
}

/**
 * Reads a client message (spec 06, sections 2.1 and 2.4).
 *
 * @throws GatewayClose if it is no JSON object or its `d` is none.
 */
export function parseMessage(bytes: Buffer): Message {
  if (!isUtf8(bytes)) throw new GatewayClose('DECODE_ERROR')
  const message = objectIn(parsed(bytes.toString()))
  const type = typeof message?.type === 'string' ? message.type : undefined
  const d = type === heartbeat.type ? {} : objectIn(message?.d ?? {})
  if (!message || !d) throw new GatewayClose('DECODE_ERROR')
  return { type, d }
}

function parsed(text: string): unknown {
  try {
    return parseJson(text)
  } catch {
    return undefined
  }
}

function objectIn(value: unknown): Record<string, unknown> | undefined {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
    ? (value as Record<string, unknown>)
    : undefined
}
