import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { DEFAULT_LIMITS, DecodeError, decode, Embeds, EmbedText, fullEmbed, type TSchema } from '../src/index.ts'

const read = (value: unknown, schema: TSchema = EmbedText) => decode(schema, value, DEFAULT_LIMITS)

const NOTHING = {
  title: null,
  description: null,
  site_name: null,
  type: null,
  locale: null,
  url: null,
  image: null,
  video: null,
  audio: null,
  thumbnail: null,
  image_width: null,
  image_height: null,
  video_width: null,
  video_height: null,
  color: null,
  fields: null,
}

describe('an embed', () => {
  it('comes as the JSON text of one, as an object, or as a list in either form', () => {
    const embed = { title: 'Tea' }
    for (const form of ['{"title":"Tea"}', embed, [embed], '[{"title":"Tea"}]']) assert.deepEqual(read(form), [embed])
    for (const none of ['', [], '[]']) assert.deepEqual(read(none), [])
  })

  it('keeps the known keys that were given', () => {
    const given = { title: 'Tea', color: '255', image_width: 10, description: null, footer: 'x' }
    assert.deepEqual(read(given), [{ title: 'Tea', description: null, image_width: 10, color: 255 }])
    const fields = [
      { name: 'a', value: 'b' },
      { name: 'c', value: 'd', inline: 1 },
      { name: 'e', value: 'f', inline: null },
    ]
    assert.deepEqual(read({ fields }), [
      {
        fields: [
          { name: 'a', value: 'b', inline: false },
          { name: 'c', value: 'd', inline: true },
          { name: 'e', value: 'f', inline: false },
        ],
      },
    ])
  })

  it('has no link but to the web or to a file of the server', () => {
    for (const link of ['http://a.example', 'HTTPS://a.example/b?c#d', '/api/v1/files/abc'])
      assert.deepEqual(read({ url: link }), [{ url: link }])
    for (const link of [
      '',
      'javascript:alert(1)',
      'data:text/html,x',
      '//a.example',
      '/api/v1/users',
      'ftp://a.example',
      ' http://a.example',
      'http://',
      'http:a',
    ])
      assert.deepEqual(read({ url: link, thumbnail: link }), [{ url: null, thumbnail: null }], link)
  })

  const text = (length: number) => '😀'.repeat(length)
  const field = { name: text(256), value: text(1024) }
  const URL_2048 = `http://a.example/${'x'.repeat(2031)}`
  /** For each bound a value that fits, and one that does not. */
  const BOUNDS: [name: string, fits: unknown, tooMuch: unknown][] = [
    ['title', { title: text(256) }, { title: text(257) }],
    ['description', { description: text(4096) }, { description: text(4097) }],
    ['site_name', { site_name: text(256) }, { site_name: text(257) }],
    ['type', { type: text(256) }, { type: text(257) }],
    ['locale', { locale: text(256) }, { locale: text(257) }],
    ['URL', { image: URL_2048 }, { image: `${URL_2048}x` }],
    [
      'number of fields',
      { fields: Array(25).fill({ name: '', value: '' }) },
      { fields: Array(26).fill({ name: '', value: '' }) },
    ],
    ['name of a field', { fields: [field] }, { fields: [{ ...field, name: text(257) }] }],
    ['value of a field', { fields: [field] }, { fields: [{ ...field, value: text(1025) }] }],
    ['color', { color: 0xffffff }, { color: 0x1000000 }],
    ['pixels', { video_height: 0 }, { video_height: -1 }],
    ['number of embeds', Array(10).fill({}), Array(11).fill({})],
    // Each is 16,384 characters as JSON, of one byte each, with the commas and brackets of the list.
    ['size', sized(65_536), sized(65_537)],
  ]
  for (const [name, fits, tooMuch] of BOUNDS)
    it(`is bounded in its ${name}`, () => {
      read(fits)
      assert.throws(() => read(tooMuch), DecodeError)
    })

  it('is refused in any other form', () => {
    for (const wrong of [
      'not json',
      '"text"',
      '5',
      'true',
      'null',
      '{',
      5,
      true,
      [5],
      [[]],
      { title: 5 },
      { fields: {} },
      { fields: [{ name: 'a' }] },
      { fields: [null] },
      `${'['.repeat(5000)}${']'.repeat(5000)}`,
    ])
      assert.throws(() => read(wrong), DecodeError, JSON.stringify(wrong))
  })

  it('is a list where the field says so', () => {
    assert.deepEqual(read([{ title: 'Tea' }], Embeds), [{ title: 'Tea' }])
    for (const wrong of ['[]', { title: 'Tea' }]) assert.throws(() => read(wrong, Embeds), DecodeError)
  })

  it('is either read or refused, whatever comes', () => {
    fc.assert(
      fc.property(fc.oneof(fc.json(), fc.jsonValue()), (value) => {
        try {
          read(value)
        } catch (error) {
          assert.ok(error instanceof DecodeError)
        }
      }),
    )
  })

  it('is shown with all sixteen keys', () => {
    assert.deepEqual(fullEmbed({}), NOTHING)
    assert.deepEqual(fullEmbed({ title: 'Tea', color: 0 }), { ...NOTHING, title: 'Tea', color: 0 })
  })
})

/** Embeds that take this many bytes as compact JSON. */
function sized(bytes: number): unknown[] {
  const fill = (count: number) => ({
    fields: Array.from({ length: count }, () => ({ name: 'x'.repeat(256), value: 'x'.repeat(1024) })),
  })
  const embeds: object[] = [fill(25), fill(24)]
  const missing = bytes - JSON.stringify(read([...embeds, { description: '' }])).length
  return [...embeds, { description: 'x'.repeat(missing) }]
}
