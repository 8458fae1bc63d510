import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { readHead } from '../../../src/features/embeds/head.ts'

const read = (html: string) => Object.fromEntries(readHead(html))

describe('the head of a page', () => {
  it('is its title and what its meta tags say, however they are written', () => {
    assert.deepEqual(
      read(`<!doctype html><HTML><head>
        <META CONTENT='Tea &amp; &#x1F375; &eacute;' Property="og:title">
        <meta property=og:type content=article>
        <meta name = "Description" content = "about > tea"/>
        <meta
          property="og:image"
          content="/a?b=1&amp;c=2"
        >
        <title>
          The &lt;page&gt;
        </title></head>`),
      {
        'property og:title': 'Tea & 🍵 é',
        'property og:type': 'article',
        'name description': 'about > tea',
        'property og:image': '/a?b=1&c=2',
        title: 'The <page>',
      },
    )
  })

  it('is what comes first and says something', () => {
    const html = `<meta property="og:title" content=" "><meta property="og:title" content="1">
      <meta property="og:title" content="2"><title></title><title>a</title><svg><title>b</title></svg>
      <meta property="og:type" property="og:locale" content="x" content="y">`
    assert.deepEqual(read(html), { 'property og:title': '1', title: 'a', 'property og:type': 'x' })
  })

  it('is not what only looks like it', () => {
    const html = `<!-- <title>1</title> --><script>"<title>2</title><meta name=a content=b>"</script>
      <style><title>3</title></style><p data-x="<title>4</title>">&lt;title>5</title>
      <metadata name="a" content="b"><textarea><meta name="a" content="b"></textarea><title>6`
    assert.deepEqual(read(html), {})
  })

  const MIB = 1_048_576
  const HOSTILE: Record<string, string> = {
    'open tags': '<b>'.repeat(MIB / 3),
    'tags that are opened, and others that are closed': '<b>'.repeat(MIB / 6) + '</a>'.repeat(MIB / 8),
    'beginnings of tags': '<'.repeat(MIB),
    'beginnings of meta tags': '<meta '.repeat(MIB / 6),
    'meta tags without end': `<meta content="${'<meta content='.repeat(MIB / 14)}`,
    attributes: `<meta ${'a=b '.repeat(MIB / 4)}`,
    'different attributes': `<meta ${Array.from({ length: MIB / 8 }, (_, n) => `a${n}`).join(' ')}>`,
    'character references': `<title>${'&amp;'.repeat(MIB / 5)}</title>`,
    'beginnings of character references': `<title>${'&'.repeat(MIB)}</title>`,
    'beginnings of comments': '<!--'.repeat(MIB / 4),
    'ends of titles that are none': `<title>${'</titl'.repeat(MIB / 6)}`,
    quotes: `<meta content=${'"\''.repeat(MIB / 2)}`,
    space: `<meta${' '.repeat(MIB)}>`,
  }
  // A reader whose time grows with the square of the text takes minutes for each of these.
  for (const [name, html] of Object.entries(HOSTILE))
    it(`is read in time that grows no faster than the page: ${name}`, () => {
      const start = performance.now()
      readHead(html)
      // Time that grows with the square of the text would be minutes.
      assert.ok(performance.now() - start < 3_000)
    })

  it('is found in whatever comes', () => {
    const part = fc.constantFrom(
      '<',
      '>',
      '</',
      'meta ',
      'title',
      '"',
      "'",
      '=',
      '&',
      '&#x',
      ';',
      '!--',
      '-->',
      'content',
      ' ',
    )
    const html = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.array(part, { maxLength: 50 }).map((parts) => parts.join('')),
    )
    fc.assert(fc.property(html, (text) => void readHead(text)))
  })
})
