import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { recognize } from '../../src/features/files/recognition.ts'

const bytes = (text: string) => Buffer.from(text, 'latin1')
const png = (...chunks: string[]) =>
  `\x89PNG\r\n\x1a\n${chunks.map((name) => `\0\0\0\x04${name}\0\0\0\0\0\0\0\0`).join('')}`
const ftyp = (brands: string) => `\0\0\0${String.fromCharCode(8 + brands.length)}ftyp${brands}`
const ebml = (type: string) =>
  `\x1a\x45\xdf\xa3\x93\x42\x86\x81\x01\x42\x82${String.fromCharCode(0x80 + type.length)}${type}`
const zipEntry = (name: string, content = '') =>
  `PK\x03\x04${'\0'.repeat(22)}${String.fromCharCode(name.length)}\0\0\0${name}${content}`
const tar = `file.txt${'\0'.repeat(249)}ustar\0`

const KNOWN: [type: string, content: string][] = [
  ['image/png', '\x89PNG'],
  ['image/png', '\x89PNGjunk that is no picture at all, of some length'],
  ['image/png', png('IHDR', 'IDAT', 'acTL')],
  ['image/apng', png('IHDR', 'gAMA', 'acTL', 'IDAT')],
  ['image/jpeg', '\xff\xd8\xff\xe0'],
  ['image/gif', 'GIF89a'],
  ['image/webp', 'RIFF\x10\0\0\0WEBPVP8 '],
  ['image/bmp', 'BM\x36\0\x03\0\0\0\0\0'],
  ['image/tiff', 'II*\0'],
  ['image/tiff', 'MM\0*'],
  ['image/x-icon', '\0\0\x01\0\x01\0'],
  ['image/heic', ftyp('heic\0\0\0\0mif1heic')],
  ['image/heic', ftyp('mif1\0\0\0\0mif1heic')],
  ['image/avif', ftyp('avif\0\0\0\0mif1avif')],
  ['image/avif', ftyp('mif1\0\0\0\0mif1miafavif')],
  ['image/avif', ftyp('mif1\0\0\0\0avifmif1')],
  ['image/vnd.adobe.photoshop', '8BPS\0\x01'],
  ['video/mp4', ftyp('isom\0\0\x02\0isomiso2mp41')],
  ['video/mp4', ftyp('mp42\0\0\0\0')],
  ['video/x-m4v', ftyp('M4V \0\0\0\0')],
  ['video/quicktime', ftyp('qt  \0\0\0\0')],
  ['video/3gpp', ftyp('3gp5\0\0\0\0')],
  ['audio/mp4', ftyp('M4A \0\0\0\0')],
  ['video/webm', ebml('webm')],
  ['video/x-matroska', ebml('matroska')],
  ['video/x-msvideo', 'RIFF\x10\0\0\0AVI LIST'],
  ['video/x-ms-wmv', '\x30\x26\xb2\x75\x8e\x66\xcf\x11\xa6\xd9\0\xaa'],
  ['video/mpeg', '\0\0\x01\xba'],
  ['video/mpeg', '\0\0\x01\xb3'],
  ['video/x-flv', 'FLV\x01'],
  ['video/ogg', `OggS${'\0'.repeat(24)}\x80theora`],
  ['audio/mpeg', 'ID3\x04'],
  ['audio/mpeg', '\xff\xfb\x90\x00'],
  ['audio/ogg', 'OggS\0\x02'],
  ['audio/x-flac', 'fLaC'],
  ['audio/x-wav', 'RIFF\x10\0\0\0WAVEfmt '],
  ['audio/aac', '\xff\xf1\x50\x80'],
  ['audio/aac', '\xff\xf9\x50\x80'],
  ['audio/amr', '#!AMR\n'],
  ['audio/x-aiff', 'FORM\0\0\0\x10AIFF'],
  ['audio/x-aiff', 'FORM\0\0\0\x10AIFC'],
  ['audio/midi', 'MThd'],
  ['application/pdf', '%PDF-1.7'],
  ['application/rtf', '{\\rtf1'],
  ['application/zip', zipEntry('a.txt', 'hello')],
  ['application/zip', 'PK\x05\x06'],
  ['application/epub+zip', zipEntry('mimetype', 'application/epub+zip')],
  ['application/vnd.oasis.opendocument.text', zipEntry('mimetype', 'application/vnd.oasis.opendocument.textPK')],
  [
    'application/vnd.openxmlformats-officedocument.wordprocessingml.document',
    zipEntry('[Content_Types].xml', '...') + zipEntry('word/document.xml'),
  ],
  ['application/vnd.openxmlformats-officedocument.spreadsheetml.sheet', zipEntry('xl/workbook.xml')],
  ['application/vnd.openxmlformats-officedocument.presentationml.presentation', zipEntry('ppt/presentation.xml')],
  ['application/gzip', '\x1f\x8b\x08'],
  ['application/x-7z-compressed', '7z\xbc\xaf\x27\x1c'],
  ['application/x-rar-compressed', 'Rar!\x1a\x07\x01\0'],
  ['application/x-tar', tar],
  ['application/x-bzip2', 'BZh91AY&SY'],
  ['application/x-xz', '\xfd7zXZ\0'],
  ['application/zstd', '\x28\xb5\x2f\xfd'],
  ['application/x-msdownload', 'MZ\x90\0'],
  ['application/x-executable', '\x7fELF\x02'],
  ['application/wasm', '\0asm\x01'],
]

describe('the type of a file', () => {
  for (const [index, [type, content]] of KNOWN.entries())
    it(`is recognised by its content: ${type} (${index})`, () => assert.equal(recognize(bytes(content)), type))

  it('is never read out of text', () => {
    for (const text of [
      '',
      ' ',
      'hello',
      '<!doctype html><script>',
      '<svg xmlns="http://www.w3.org/2000/svg">',
      '<?xml version="1.0"?>',
      '{"a": 1}',
      'a,b\n1,2',
      'BMW and others',
      'BZh is a name',
      'FORM follows function',
      'RIFF-RAFF',
      '#!/bin/sh',
      '\xef\xbb\xbfUTF-8 with a mark',
      '\xff\xfeU\0T\0F\0-\x001\x006\0',
      '\xfe\xff\0U\0T\0F',
      `${'x'.repeat(257)}not tar`,
    ])
      assert.equal(recognize(bytes(text)), undefined, text)
  })

  it('stays open where a mark is cut off or unknown', () => {
    for (const content of [
      'RIFF',
      'RIFF\0\0\0\0XXXX',
      ftyp('zzzz\0\0\0\0'),
      '\0\0\0\x10ftyp',
      ebml('other'),
      '\xff',
      '\xff\xfb\xff',
    ])
      assert.equal(recognize(bytes(content)), undefined)
  })

  it('is decided for whatever comes', () => {
    const marks = fc.constantFrom(...KNOWN.map(([, content]) => content))
    const mangled = fc
      .tuple(marks, fc.nat(), fc.string({ unit: 'binary' }))
      .map(([content, cut, rest]) => bytes(content.slice(0, cut % (content.length + 1)) + rest))
    fc.assert(fc.property(mangled, (content) => assert.match(recognize(content) ?? 'a/b', /^[a-z]+\/[a-z0-9.+-]+$/)))
  })
})
