import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { fullEmbed } from '@vox/protocol'
import { previewOf, textOf } from '../../../src/features/embeds/page.ts'

function preview(html: string, { status = 200, type = 'text/html', url = 'https://a.example/dir/page' } = {}) {
  return previewOf({ url: new URL(url), status, headers: { 'content-type': type }, body: Buffer.from(html) })
}

const NOTHING = fullEmbed({})
const og = (key: string, content: string) => `<meta property="og:${key}" content="${content}">`

describe('the preview of a page', () => {
  it('takes each key from Open Graph, and nothing that has no key', () => {
    const keys = { title: 'T', description: 'D', site_name: 'S', type: 'article', locale: 'en_US' }
    const links = {
      image: 'https://a.example/i.png',
      video: 'http://b.example/v',
      audio: 'https://c.example/a',
      url: 'https://a.example/',
    }
    const html = [
      ...Object.entries({ ...keys, ...links, color: '5', thumbnail: 'https://x.example/', 'image:alt': 'x' }),
    ].map(([key, content]) => og(key, content))
    assert.deepEqual(preview(html.join('')), { ...NOTHING, ...keys, ...links })
  })

  it('falls back to title and description of HTML, which Open Graph wins over', () => {
    const html = '<title> T </title><meta name="description" content="D">'
    assert.deepEqual(preview(html), { ...NOTHING, title: 'T', description: 'D' })
    assert.deepEqual(preview(html + og('title', 'O') + og('description', 'P')), {
      ...NOTHING,
      title: 'O',
      description: 'P',
    })
  })

  it('has absolute links of the web, and no others', () => {
    const image = (link: string) => preview(og('image', link)).image
    assert.equal(image('/i.png'), 'https://a.example/i.png')
    assert.equal(image('i.png?a=1&amp;b=2'), 'https://a.example/dir/i.png?a=1&b=2')
    assert.equal(image('//b.example/i'), 'https://b.example/i')
    for (const link of [
      'javascript:alert(1)',
      'data:image/png;base64,AA',
      'file:///etc/passwd',
      'http://',
      `/${'x'.repeat(2048)}`,
    ])
      assert.equal(image(link), null, link)
  })

  it('has sizes that are positive integers', () => {
    const html = (content: string) =>
      og('image:width', content) + og('image:height', '20') + og('video:width', '30') + og('video:height', '40')
    assert.deepEqual(preview(html('10')), {
      ...NOTHING,
      image_width: 10,
      image_height: 20,
      video_width: 30,
      video_height: 40,
    })
    for (const wrong of ['0', '-1', '1.5', '10px', '2147483648', '9'.repeat(400)])
      assert.equal(preview(html(wrong)).image_width, null)
  })

  it('cuts texts to what an embed may have', () => {
    const { title, description, locale } = preview(
      og('title', '😀'.repeat(300)) + og('description', 'x'.repeat(5000)) + og('locale', 'y'.repeat(257)),
    )
    assert.deepEqual([title, description, locale], ['😀'.repeat(256), 'x'.repeat(4096), 'y'.repeat(256)])
  })

  it('is there for HTML and XHTML that was answered with success', () => {
    for (const type of ['text/html', 'Text/HTML; charset=utf-8', 'application/xhtml+xml', 'text/html ;x=y'])
      assert.equal(preview('<title>T</title>', { type }).title, 'T', type)
    for (const type of ['', 'text/plain', 'application/json', 'text/htmlx', 'image/svg+xml'])
      assert.deepEqual(preview('<title>T</title>', { type }), NOTHING, type)
    assert.equal(preview('<title>T</title>', { status: 299 }).title, 'T')
    for (const status of [302, 404, 500]) assert.deepEqual(preview('<title>T</title>', { status }), NOTHING)
  })
})

describe('the text of a page', () => {
  const latin1 = Buffer.from('<meta charset="ISO-8859-1">caf\xe9', 'latin1')

  it('is in the character set of its header, else in that of its head, else in UTF-8', () => {
    assert.match(textOf(Buffer.from('caf\xe9', 'latin1'), 'latin1'), /café/)
    assert.match(textOf(latin1, undefined), /café/)
    assert.match(
      textOf(
        Buffer.from('<meta http-equiv="content-type" content="text/html; charset=shift_jis">\x93\x8c', 'latin1'),
        undefined,
      ),
      /東/,
    )
    assert.equal(textOf(Buffer.from('café'), undefined), 'café')
    assert.equal(textOf(Buffer.from('\ufeffcafé'), undefined), 'café')
    assert.match(textOf(Buffer.from('<meta charset="latin1">café'), 'utf-8'), /café/)
  })

  it('is UTF-8 where nobody knows the character set', () => {
    assert.equal(textOf(Buffer.from('café'), 'klingon'), 'café')
    assert.match(textOf(Buffer.from('<meta charset="klingon">café'), undefined), /café/)
  })

  it('has replacements for what cannot be read', () => {
    assert.equal(textOf(Buffer.from([0x61, 0xff, 0x00, 0x62]), undefined), 'a\ufffd\ufffdb')
  })
})
