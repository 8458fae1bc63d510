import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { dimensionsOf } from '../../src/features/files/dimensions.ts'

const sizeOf = (type: string, bytes: Buffer) =>
  dimensionsOf(type, { read: async (position, length) => bytes.subarray(position, position + length) })

const of = (text: string, ...numbers: [width: 2 | 3 | 4, value: number, order?: 'BE'][]): Buffer =>
  Buffer.concat([
    Buffer.from(text, 'latin1'),
    ...numbers.map(([width, value, order]) => {
      const field = Buffer.alloc(width)
      if (order === 'BE') field.writeIntBE(value | 0, 0, width)
      else field.writeIntLE(value | 0, 0, width)
      return field
    }),
  ])

const segment = (marker: number, length: number) => {
  const bytes = Buffer.alloc(2 + length)
  bytes.writeUInt16BE(0xff00 | marker)
  bytes.writeUInt16BE(length, 2)
  return bytes
}
const frame = (marker: number) =>
  Buffer.concat([segment(marker, 3).subarray(0, 4), of('\x08', [2, 480, 'BE'], [2, 640, 'BE'])])
const jpeg = (...segments: Buffer[]) => Buffer.concat([Buffer.from([0xff, 0xd8]), ...segments])

const PNG = of('\x89PNG\r\n\x1a\n\0\0\0\x0dIHDR', [4, 640, 'BE'], [4, 480, 'BE'])

describe('the size of a picture', () => {
  const size = { width: 640, height: 480 }
  const pad = Buffer.alloc(20)
  const pictures: [name: string, type: string, content: Buffer][] = [
    ['PNG', 'image/png', PNG],
    ['APNG', 'image/apng', PNG],
    ['GIF', 'image/gif', of('GIF89a', [2, 640], [2, 480])],
    ['lossy WebP', 'image/webp', of('RIFF\0\0\0\0WEBPVP8 \0\0\0\0abc\x9d\x01\x2a', [2, 640 | 0x4000], [2, 480])],
    [
      'lossless WebP',
      'image/webp',
      Buffer.concat([of('RIFF\0\0\0\0WEBPVP8L\0\0\0\0\x2f', [4, 639 | (479 << 14)]), pad]),
    ],
    ['extended WebP', 'image/webp', of('RIFF\0\0\0\0WEBPVP8X\0\0\0\0\0\0\0\0', [3, 639], [3, 479])],
    ['BMP', 'image/bmp', of(`BM${'\0'.repeat(12)}\x28\0\0\0`, [4, 640], [4, 480])],
    ['upside-down BMP', 'image/bmp', of(`BM${'\0'.repeat(12)}\x28\0\0\0`, [4, 640], [4, -480])],
    ['the oldest BMP', 'image/bmp', Buffer.concat([of(`BM${'\0'.repeat(12)}\x0c\0\0\0`, [2, 640], [2, 480]), pad])],
    ['JPEG', 'image/jpeg', jpeg(segment(0xe0, 16), frame(0xc0))],
    ['JPEG with much metadata', 'image/jpeg', jpeg(...Array(20).fill(segment(0xe1, 65_535)), frame(0xc2))],
    [
      'JPEG with tables before the frame and filling',
      'image/jpeg',
      jpeg(segment(0xc4, 9), Buffer.from([0xff]), frame(0xc1)),
    ],
  ]
  for (const [name, type, content] of pictures)
    it(`is read from a ${name}`, async () => assert.deepEqual(await sizeOf(type, content), size))

  it('is unknown of everything else, of broken headers and of pictures without area', async () => {
    const unknown: [string, Buffer][] = [
      ['text/plain', PNG],
      ['video/mp4', PNG],
      ['image/png', PNG.subarray(0, 20)],
      ['image/png', of('\x89PNG and junk that is long enough')],
      ['image/gif', Buffer.alloc(0)],
      ['image/gif', of('GIF89a', [2, 0], [2, 480])],
      ['image/webp', of('RIFF\0\0\0\0WEBPXXXX', [4, 1], [4, 1], [4, 1], [4, 1])],
      ['image/jpeg', jpeg()],
      ['image/jpeg', jpeg(Buffer.from('not a segment'))],
      ['image/jpeg', jpeg(segment(0xda, 100))],
      ['image/jpeg', jpeg(...Array(300).fill(segment(0xe1, 2)), frame(0xc0))],
    ]
    for (const [type, content] of unknown) assert.equal(await sizeOf(type, content), undefined)
  })

  it('is found or not, whatever the bytes are', async () => {
    const type = fc.constantFrom('image/png', 'image/gif', 'image/webp', 'image/bmp', 'image/jpeg')
    await fc.assert(
      fc.asyncProperty(
        type,
        fc.constantFrom(...pictures),
        fc.uint8Array({ maxLength: 40 }),
        async (as, picture, tail) => {
          const found = await sizeOf(as, Buffer.concat([picture[2].subarray(0, 30), tail]))
          assert.ok(found === undefined || (found.width > 0 && found.height > 0))
        },
      ),
    )
  })
})
