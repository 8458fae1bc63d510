/**
 * Zstandard frames (RFC 8878) of gateway messages.
 *
 * An event is compressed once although every session adds a sequence number of its own. A Zstandard frame is a header
 * and a row of blocks, and a block may be stored uncompressed. So the blocks of the part that all sessions share are
 * taken from an ordinary frame, their mark "last block" is removed, and each session puts a header before them that
 * states the size of the whole and after them one uncompressed last block with its own few bytes:
 *
 *     frameHeader(size of all) · sharedBlocks(shared part) · lastBlockHeader(size of own part) · own part
 *
 * The header declares a single segment: its window is the content itself, which every decoder has room for.
 */
import { zstdCompressSync } from 'node:zlib'

const MAGIC = 0xfd2fb528
const SINGLE_SEGMENT = 0x20
const LAST_BLOCK = 1
const RLE_BLOCK = 1

/** A complete frame; it states its content size. */
export function zstdFrame(content: Uint8Array): Buffer {
  return zstdCompressSync(content)
}

/** The blocks of the compressed content, to be followed by at least one more. */
export function sharedBlocks(content: Uint8Array): Buffer {
  const frame = zstdCompressSync(content)
  const blocks = frame.subarray(headerSize(frame))
  const last = lastBlockOf(blocks)
  blocks.writeUInt8(blocks.readUInt8(last) & ~LAST_BLOCK, last)
  return blocks
}

/** Header of a frame whose content has this size. */
export function frameHeader(contentSize: number): Buffer {
  const [flag, bytes, stated] =
    contentSize < 256 ? [0, 1, contentSize] : contentSize < 65_792 ? [1, 2, contentSize - 256] : [2, 4, contentSize]
  const header = Buffer.alloc(5 + bytes)
  header.writeUInt32LE(MAGIC)
  header.writeUInt8((flag << 6) | SINGLE_SEGMENT, 4)
  header.writeUIntLE(stated, 5, bytes)
  return header
}

/** Header of an uncompressed block that ends its frame. */
export function lastBlockHeader(size: number): Buffer {
  const header = Buffer.alloc(3)
  header.writeUIntLE((size << 3) | LAST_BLOCK, 0, 3)
  return header
}

function headerSize(frame: Buffer): number {
  const descriptor = frame.readUInt8(4)
  const singleSegment = (descriptor & SINGLE_SEGMENT) !== 0
  const sizeFlag = descriptor >> 6
  const contentSize = sizeFlag === 0 ? Number(singleSegment) : 1 << sizeFlag
  return 5 + Number(!singleSegment) + contentSize
}

function lastBlockOf(blocks: Buffer): number {
  let at = 0
  for (;;) {
    const header = blocks.readUIntLE(at, 3)
    if ((header & LAST_BLOCK) !== 0) return at
    const isRle = ((header >> 1) & 3) === RLE_BLOCK
    at += 3 + (isRle ? 1 : header >> 3)
  }
}
