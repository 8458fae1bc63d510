import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { zstdDecompressSync } from 'node:zlib'
import { messageCreate, parseJson, presenceUpdate, stringifyJson } from '@vox/protocol'
import fc from 'fast-check'
import { ControlFrame, EncodedEvent, encodeEvent } from '../../src/gateway/frames.ts'

/** Reads an unmasked, unfragmented frame that is all there is. */
function unframed(bytes: string): { opcode: number; payload: Buffer } {
  const frame = Buffer.from(bytes, 'latin1')
  const short = frame.readUInt8(1)
  const start = short < 126 ? 2 : short === 126 ? 4 : 10
  const length = short < 126 ? short : short === 126 ? frame.readUInt16BE(2) : Number(frame.readBigUInt64BE(2))
  assert.equal(frame.length - start, length)
  // The shortest form of the length is mandatory.
  assert.equal(start, length < 126 ? 2 : length < 65_536 ? 4 : 10)
  return { opcode: frame.readUInt8(0), payload: frame.subarray(start) }
}

function messageIn(bytes: string): unknown {
  const { opcode, payload } = unframed(bytes)
  return parseJson((opcode === 0x82 ? zstdDecompressSync(payload) : payload).toString())
}

const body = fc.oneof(fc.string({ unit: 'grapheme' }), fc.string({ unit: 'binary', minLength: 60, maxLength: 400 }))

describe('the frame of an event', () => {
  it('holds type, payload and number, as text and compressed', () => {
    fc.assert(
      fc.property(body, fc.integer({ min: 1, max: 2 ** 31 }), fc.boolean(), (text, seq, compressed) => {
        const data = { msg_id: 2n ** 62n, author_id: null, body: text.toWellFormed(), timestamp: 1, feed_id: 7 }
        const message = messageIn(encodeEvent(messageCreate, data, 0).frames(seq, compressed))
        assert.deepEqual(message, { type: 'message_create', d: data, seq })
      }),
    )
  })

  it('has the right length at every size of header', () => {
    for (const size of [1, 80, 90, 100, 125, 126, 127, 65_490, 65_535, 65_536, 1_000_000]) {
      const event = new EncodedEvent('t', stringifyJson('x'.repeat(size)), 0)
      for (const seq of [1, 9, 10, 999, 1000])
        assert.deepEqual(messageIn(event.frames(seq, false)), { type: 't', d: 'x'.repeat(size), seq })
    }
  })

  it('keeps integers beyond 2^53 in free-form objects', () => {
    const event = encodeEvent(presenceUpdate, { user_id: 1, status: 'idle', activity: { n: 2n ** 60n } }, 0)
    assert.deepEqual(messageIn(event.frames(2, false)), {
      type: 'presence_update',
      d: { user_id: 1, status: 'idle', activity: { n: 2n ** 60n } },
      seq: 2,
    })
  })
})

describe('the frame of a control message', () => {
  it('is the same each time, in both forms', () => {
    const message = { type: 'error', d: { code: 'VALIDATION_ERROR', message: 'é' } } as const
    const frame = new ControlFrame(message)
    for (const compressed of [false, true, false, true]) assert.deepEqual(messageIn(frame.bytes(compressed)), message)
  })
})
