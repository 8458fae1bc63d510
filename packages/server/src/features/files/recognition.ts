/** How much of a file recognition looks at. */
export const HEAD_BYTES = 4096

/** Bytes that stand at a fixed place in all files of a type, one character per byte. */
interface Signature {
  at?: number
  bytes: string
  /** The type, or how to tell it from further marks, if they say so. */
  type: string | ((head: string) => string | undefined)
}

/** The types of spec 04, section 7.4, in the words it uses for them. */
const SIGNATURES: readonly Signature[] = [
  { bytes: '\x89PNG', type: png },
  { bytes: '\xff\xd8\xff', type: 'image/jpeg' },
  { bytes: 'GIF', type: 'image/gif' },
  { bytes: 'RIFF', type: riff },
  { bytes: 'BM', type: (head) => (head.startsWith('\0\0\0\0', 6) ? 'image/bmp' : undefined) },
  { bytes: 'II*\0', type: 'image/tiff' },
  { bytes: 'MM\0*', type: 'image/tiff' },
  { bytes: '\0\0\x01\0', type: 'image/x-icon' },
  { bytes: '8BPS\0', type: 'image/vnd.adobe.photoshop' },
  { at: 4, bytes: 'ftyp', type: isoMedia },

  { bytes: '\x1a\x45\xdf\xa3', type: ebml },
  { bytes: '\x30\x26\xb2\x75\x8e\x66\xcf\x11\xa6\xd9', type: 'video/x-ms-wmv' },
  { bytes: '\0\0\x01\xba', type: 'video/mpeg' },
  { bytes: '\0\0\x01\xb3', type: 'video/mpeg' },
  { bytes: 'FLV\x01', type: 'video/x-flv' },

  { bytes: 'ID3', type: 'audio/mpeg' },
  { bytes: '\xff', type: mpegFrame },
  { bytes: 'OggS', type: (head) => (head.includes('\x80theora') ? 'video/ogg' : 'audio/ogg') },
  { bytes: 'fLaC', type: 'audio/x-flac' },
  { bytes: '#!AMR', type: 'audio/amr' },
  { bytes: 'FORM', type: (head) => (/^AIF[FC]/.test(head.slice(8)) ? 'audio/x-aiff' : undefined) },
  { bytes: 'MThd', type: 'audio/midi' },

  { bytes: '%PDF', type: 'application/pdf' },
  { bytes: '{\\rtf', type: 'application/rtf' },
  { bytes: 'PK\x03\x04', type: zip },
  { bytes: 'PK\x05\x06', type: 'application/zip' },
  { bytes: '\x1f\x8b\x08', type: 'application/gzip' },
  { bytes: '7z\xbc\xaf\x27\x1c', type: 'application/x-7z-compressed' },
  { bytes: 'Rar!\x1a\x07', type: 'application/x-rar-compressed' },
  { at: 257, bytes: 'ustar', type: 'application/x-tar' },
  {
    bytes: 'BZh',
    type: (head) => (/^[1-9](1AY&SY|\x17rE8P\x90)/.test(head.slice(3)) ? 'application/x-bzip2' : undefined),
  },
  { bytes: '\xfd7zXZ\0', type: 'application/x-xz' },
  { bytes: '\x28\xb5\x2f\xfd', type: 'application/zstd' },
  { bytes: 'MZ', type: 'application/x-msdownload' },
  { bytes: '\x7fELF', type: 'application/x-executable' },
  { bytes: '\0asm', type: 'application/wasm' },
]

/** The type that the first bytes of a file give away; text of any kind never does. */
export function recognize(firstBytes: Buffer): string | undefined {
  const head = firstBytes.toString('latin1', 0, HEAD_BYTES)
  for (const { at = 0, bytes, type } of SIGNATURES) {
    if (!head.startsWith(bytes, at)) continue
    const found = typeof type === 'string' ? type : type(head)
    if (found) return found
  }
  return undefined
}

/** Animated when the chunk that says so comes before the first chunk of the picture. */
function png(head: string): string {
  const bytes = Buffer.from(head, 'latin1')
  for (let at = 8; at + 8 <= bytes.length; at += 12 + bytes.readUInt32BE(at)) {
    const chunk = bytes.toString('latin1', at + 4, at + 8)
    if (chunk === 'acTL') return 'image/apng'
    if (chunk === 'IDAT') break
  }
  return 'image/png'
}

const RIFF_TYPES = new Map([
  ['WEBP', 'image/webp'],
  ['WAVE', 'audio/x-wav'],
  ['AVI ', 'video/x-msvideo'],
])

function riff(head: string): string | undefined {
  return RIFF_TYPES.get(head.slice(8, 12))
}

/** By brand; of those for pictures in general, the compatible brands say more. */
const BRANDS: readonly (readonly [RegExp, string])[] = [
  [/^(avi[fs]|m[is]f1.{4}(.{4})*?avi[fs])/s, 'image/avif'],
  [/^(hei[cxms]|hev[cxms]|m[is]f1)/, 'image/heic'],
  [/^qt {2}/, 'video/quicktime'],
  [/^M4V/, 'video/x-m4v'],
  [/^(M4[ABP]|F4[AB])/, 'audio/mp4'],
  [/^3g/, 'video/3gpp'],
  [/^(iso\w|mp4\w|avc\w|dash|cmf\w|mmp4|MSNV|ND\w\w|F4V|f4v|mp71)/, 'video/mp4'],
]

/** The box with the brands: its length, `ftyp`, the main brand, a version, then those it is compatible with. */
function isoMedia(head: string): string | undefined {
  const length = Buffer.from(head.slice(0, 4), 'latin1').readUInt32BE()
  const brands = head.slice(8, Math.max(12, length))
  return BRANDS.find(([pattern]) => pattern.test(brands))?.[1]
}

/** The document type stands among the first elements of the header. */
function ebml(head: string): string | undefined {
  const type = /\x42\x82[\x80-\xff](webm|matroska)/.exec(head.slice(0, 64))?.[1]
  return type && (type === 'webm' ? 'video/webm' : 'video/x-matroska')
}

/** A frame of MPEG audio: layer III or II, or AAC, with a bit rate and a sampling rate that exist. */
function mpegFrame(head: string): string | undefined {
  const [second = 0, third = 0xff] = [head.charCodeAt(1), head.charCodeAt(2)]
  if ((second & 0xf6) === 0xf0) return 'audio/aac'
  const isLayer3or2 = (second & 0xe0) === 0xe0 && ((second & 0x06) === 0x02 || (second & 0x06) === 0x04)
  const isReserved = (second & 0x18) === 0x08 || third >> 4 === 0xf || (third & 0x0c) === 0x0c
  return isLayer3or2 && !isReserved ? 'audio/mpeg' : undefined
}

const OFFICE = 'application/vnd.openxmlformats-officedocument'
const OFFICE_FOLDERS = new Map([
  ['word', `${OFFICE}.wordprocessingml.document`],
  ['xl', `${OFFICE}.spreadsheetml.sheet`],
  ['ppt', `${OFFICE}.presentationml.presentation`],
])

/** Some documents are archives that name their type in the first entry; others are told by the folders in them. */
function zip(head: string): string {
  const [, named] =
    /^PK\x03\x04.{22}\x08\0.{2}mimetype(application\/(?:epub\+zip|vnd\.oasis\.opendocument\.[a-z-]+))/s.exec(head) ?? []
  const [, folder = ''] = /PK\x03\x04.{26}(word|xl|ppt)\//s.exec(head) ?? []
  return named ?? OFFICE_FOLDERS.get(folder) ?? 'application/zip'
}
