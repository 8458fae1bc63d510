/** Something that can be read at any place; fewer bytes than asked for at its end. */
export interface RandomAccess {
  read(position: number, length: number): Promise<Buffer>
}

/** Size of a picture in pixels. */
export interface Dimensions {
  width: number
  height: number
}

/** Segments of a JPEG that are looked at before its size is given up. */
const MAX_SEGMENTS = 200

/** Reads the size from a picture's header; undefined when there is none to be found (spec 04, section 7.1). */
export async function dimensionsOf(type: string, file: RandomAccess): Promise<Dimensions | undefined> {
  const size = type === 'image/jpeg' ? await jpeg(file) : await fromHeader(type, file)
  return size && size.width > 0 && size.height > 0 ? size : undefined
}

async function fromHeader(type: string, file: RandomAccess): Promise<Dimensions | undefined> {
  const header = HEADERS.get(type)
  if (!header) return undefined
  const bytes = await file.read(0, header.length)
  return bytes.length === header.length ? header.read(bytes) : undefined
}

interface Header {
  /** Bytes that have to be there. */
  length: number
  read(bytes: Buffer): Dimensions | undefined
}

const HEADERS = new Map<string, Header>([
  ['image/png', { length: 24, read: png }],
  ['image/apng', { length: 24, read: png }],
  ['image/gif', { length: 10, read: gif }],
  ['image/webp', { length: 30, read: webp }],
  ['image/bmp', { length: 26, read: bmp }],
])

const nameAt = (bytes: Buffer, at: number): string => bytes.toString('latin1', at, at + 4)

function png(bytes: Buffer): Dimensions | undefined {
  if (nameAt(bytes, 12) !== 'IHDR') return undefined
  return { width: bytes.readUInt32BE(16), height: bytes.readUInt32BE(20) }
}

function gif(bytes: Buffer): Dimensions {
  return { width: bytes.readUInt16LE(6), height: bytes.readUInt16LE(8) }
}

/** Lossy, lossless and extended pictures say it in three ways. */
function webp(bytes: Buffer): Dimensions | undefined {
  switch (nameAt(bytes, 12)) {
    case 'VP8 ':
      return { width: bytes.readUInt16LE(26) & 0x3fff, height: bytes.readUInt16LE(28) & 0x3fff }
    case 'VP8L': {
      const packed = bytes.readUInt32LE(21)
      return { width: (packed & 0x3fff) + 1, height: ((packed >>> 14) & 0x3fff) + 1 }
    }
    case 'VP8X':
      return { width: bytes.readUIntLE(24, 3) + 1, height: bytes.readUIntLE(27, 3) + 1 }
    default:
      return undefined
  }
}

/** A negative height means that the rows come from top to bottom. The oldest headers have short fields. */
function bmp(bytes: Buffer): Dimensions {
  const isOldest = bytes.readUInt32LE(14) === 12
  return isOldest
    ? { width: bytes.readUInt16LE(18), height: bytes.readUInt16LE(20) }
    : { width: bytes.readInt32LE(18), height: Math.abs(bytes.readInt32LE(22)) }
}

/** Goes from segment to segment until the one with the size; pictures embedded in the metadata are stepped over. */
async function jpeg(file: RandomAccess): Promise<Dimensions | undefined> {
  let at = 2
  for (let count = 0; count < MAX_SEGMENTS; count++) {
    const bytes = await file.read(at, 9)
    if (bytes.length < 9 || bytes[0] !== 0xff) return undefined
    const marker = bytes.readUInt8(1)
    if (isFrame(marker)) return { width: bytes.readUInt16BE(7), height: bytes.readUInt16BE(5) }
    at += marker === 0xff ? 1 : 2 + bytes.readUInt16BE(2)
  }
  return undefined
}

/** SOF0 to SOF15, without the three that mean something else. */
const isFrame = (marker: number): boolean =>
  marker >= 0xc0 && marker <= 0xcf && marker !== 0xc4 && marker !== 0xc8 && marker !== 0xcc
