import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { describe, it } from 'node:test'
import { zstdDecompressSync } from 'node:zlib'
import fc from 'fast-check'
import { frameHeader, lastBlockHeader, sharedBlocks, zstdFrame } from '../../src/gateway/zstd.ts'

const TAIL = Buffer.from(',"seq":12345}')

function joined(content: Uint8Array, tail: Buffer): Buffer {
  return Buffer.concat([
    frameHeader(content.length + tail.length),
    sharedBlocks(content),
    lastBlockHeader(tail.length),
    tail,
  ])
}

function assertRoundTrip(content: Uint8Array, tail = TAIL): void {
  const decompressed = zstdDecompressSync(joined(content, tail))
  assert.ok(decompressed.equals(Buffer.concat([content, tail])), `${content.length} bytes`)
}

/** Content size as the header states it (RFC 8878, section 3.1.1.1.4). */
function statedSize(frame: Buffer): number {
  const flag = frame.readUInt8(4) >> 6
  if (flag === 0) return frame.readUInt8(5)
  return flag === 1 ? frame.readUInt16LE(5) + 256 : frame.readUInt32LE(5)
}

/** Sizes around which a header or block changes its form. */
const EDGES = [0, 1, 2, 127, 242, 243, 244, 255, 256, 65_778, 65_779, 65_780, 131_071, 131_072, 131_073, 1_048_563]

describe('a frame of shared blocks and an own tail', () => {
  it('decompresses to both, at every size at which its form changes', () => {
    for (const size of EDGES) {
      assertRoundTrip(Buffer.alloc(size, 'a'))
      assertRoundTrip(Buffer.alloc(size, '{"type":"message_create","d":{"msg_id":1,'))
      assertRoundTrip(randomBytes(size))
    }
  })

  it('decompresses to both, whatever they are', () => {
    const content = fc.oneof(
      fc.uint8Array({ maxLength: 5_000 }),
      fc.string({ unit: 'grapheme', maxLength: 2_000 }).map((text) => Buffer.from(text)),
      fc
        .tuple(fc.integer({ max: 200_000, min: 0 }), fc.uint8Array({ minLength: 1, maxLength: 50 }))
        .map(([size, unit]) => Buffer.alloc(size, unit)),
    )
    const tail = fc.integer({ min: 1, max: 2 ** 31 }).map((seq) => Buffer.from(`,"seq":${seq}}`))
    fc.assert(fc.property(content, tail, (bytes, end) => assertRoundTrip(bytes, end)))
  })

  it('states its size and is smaller than what it holds', () => {
    const content = Buffer.alloc(3_000, '{"type":"message_create","d":{"msg_id":1,')
    const frame = joined(content, TAIL)
    assert.equal(statedSize(frame), content.length + TAIL.length)
    assert.ok(frame.length < 150)
  })
})

describe('a whole frame', () => {
  it('states its size', () => {
    for (const size of [0, 25, 300, 70_000]) {
      const frame = zstdFrame(Buffer.alloc(size, 'a'))
      assert.equal(statedSize(frame), size)
      assert.equal(zstdDecompressSync(frame).length, size)
    }
  })
})
