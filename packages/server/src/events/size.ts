import { ApiError, MAX_SERVER_MESSAGE } from '@vox/protocol'
import { serializerOf } from '../serialize.ts'
import type { Published } from './bus.ts'

/** Bytes that the envelope adds to a payload at most: type, sequence number and punctuation. */
const ENVELOPE = 128

/** Bytes of JSON that a character can take: a control character is written as `\u001f`. */
const WORST_CHARACTER = 6

/** Bytes that anything else but text takes, with what surrounds it. */
const SCALAR = 32

/** @throws ApiError `PAYLOAD_TOO_LARGE` if the event does not fit into a message that clients take. */
export function demandDeliverable({ event, data }: Published): void {
  const limit = MAX_SERVER_MESSAGE - ENVELOPE
  if (bound(data) <= limit || Buffer.byteLength(serializerOf(event.data)(data)) <= limit) return
  throw new ApiError('PAYLOAD_TOO_LARGE', { message: 'This is more than can be told to connected clients.' })
}

/** More than the value can take as JSON; counting is much cheaper than writing, and nearly always enough. */
function bound(value: unknown): number {
  if (typeof value === 'string') return value.length * WORST_CHARACTER + SCALAR
  if (typeof value !== 'object' || value === null) return SCALAR
  let sum = SCALAR
  for (const [key, field] of Object.entries(value)) sum += key.length * WORST_CHARACTER + bound(field)
  return sum
}
