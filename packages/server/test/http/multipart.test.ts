import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { ApiError } from '@vox/protocol'
import fc from 'fast-check'
import { boundaryOf, type Part, partsOf } from '../../src/http/multipart.ts'

interface Read {
  name: string
  fileName: string | undefined
  type: string | undefined
  content: string
}

/** The body in chunks of at most `size` bytes. */
async function* chunks(body: Buffer, size: number): AsyncGenerator<Buffer> {
  for (let at = 0; at < body.length; at += size) yield body.subarray(at, at + size)
}

async function read({ name, fileName, type, content }: Part): Promise<Read> {
  const pieces: Buffer[] = []
  for await (const piece of content) pieces.push(piece)
  return { name, fileName, type, content: Buffer.concat(pieces).toString('latin1') }
}

async function readAll(body: string | Buffer, size = 65_536): Promise<Read[]> {
  const bytes = typeof body === 'string' ? Buffer.from(body) : body
  const found: Read[] = []
  for await (const part of partsOf(chunks(bytes, size), 'b')) found.push(await read(part))
  return found
}

/** A form whose parts have these header lines and contents. */
const form = (...parts: [headers: string, content: string][]): string =>
  `${parts.map(([headers, content]) => `--b\r\n${headers}\r\n\r\n${content}\r\n`).join('')}--b--\r\n`

const named = (disposition: string): string => `Content-Disposition: form-data; ${disposition}`

describe('a form', () => {
  it('comes apart into its parts, whatever the chunks it arrives in and whatever is in it', async () => {
    const tricky = fc.constantFrom('\r', '\n', '\r\n', '-', '--', '\r\n-', '\r\n--', '\r\n--c', 'b', '\0', 'ÿ')
    const content = fc.array(fc.oneof(tricky, fc.string({ unit: 'binary', maxLength: 3 })), { maxLength: 12 })
    const harmless = content.map((pieces) => pieces.join('').replaceAll('\r\n--b', ''))
    await fc.assert(
      fc.asyncProperty(
        fc.array(harmless, { maxLength: 4 }),
        fc.integer({ min: 1, max: 90 }),
        async (contents, size) => {
          const body = form(...contents.map((text, at): [string, string] => [named(`name="n${at}"`), text]))
          const found = await readAll(Buffer.from(body), size)
          assert.deepEqual(
            found.map(({ name, content }) => [name, Buffer.from(content, 'latin1').toString()]),
            contents.map((text, at) => [`n${at}`, text]),
          )
        },
      ),
    )
  })

  it('either comes apart or is refused, whatever it is', async () => {
    const pieces = fc.constantFrom(
      '--b',
      '--b--',
      '\r\n',
      '\r\n--b',
      named('name="n"'),
      'Content-Type: a/b',
      ':',
      '"',
      'x',
    )
    await fc.assert(
      fc.asyncProperty(fc.array(pieces, { maxLength: 15 }), fc.integer({ min: 1, max: 50 }), async (texts, size) => {
        await readAll(texts.join(''), size).catch((error) => {
          assert.ok(error instanceof ApiError)
          assert.equal(error.code, 'VALIDATION_ERROR')
        })
      }),
    )
  })

  it('says of a part what its headers say, and nothing else', async () => {
    const found = await readAll(
      form(
        [`${named('name="file"; filename="a b.txt"')}\r\ncontent-type: Text/Plain; charset=x`, 'one'],
        [named('name=plain; filename=x.txt'), ''],
        [`X-Other: 1\r\n${named('filename=""; name="empty"')}`, '\r\n'],
        [named('name="field"'), 'two'],
      ),
    )
    assert.deepEqual(found, [
      { name: 'file', fileName: 'a b.txt', type: 'Text/Plain; charset=x', content: 'one' },
      { name: 'plain', fileName: 'x.txt', type: undefined, content: '' },
      { name: 'empty', fileName: '', type: undefined, content: '\r\n' },
      { name: 'field', fileName: undefined, type: undefined, content: 'two' },
    ])
  })

  it('has file names in every form that clients write', async () => {
    const names = async (disposition: string) =>
      (await readAll(form([named(`name="f"; ${disposition}`), ''])))[0]?.fileName
    assert.equal(await names('filename="Ünï.txt"'), 'Ünï.txt')
    assert.equal(await names('filename="a\\"b\\\\c.txt"'), 'a"b\\c.txt')
    assert.equal(await names('filename="a;b=c.txt"'), 'a;b=c.txt')
    assert.equal(await names('filename="x"; filename*=UTF-8\'\'%C3%9C%22.txt'), 'Ü".txt')
    assert.equal(await names('filename="x"; filename*=UTF-8\'\'%FF'), 'x')
    assert.equal(await names('filename="x"; filename*=latin1\'\'%FC'), 'x')
  })

  it('may have a preamble, an epilogue and parts that nobody reads', async () => {
    const body = `before\r\n--b \t\r\n${named('name="a"')}\r\n\r\n${'x'.repeat(500)}\r\n--b\r\n${named('name="c"')}\r\n\r\ny\r\n--b--\r\nafter`
    const names: string[] = []
    for await (const { name } of partsOf(chunks(Buffer.from(body), 7), 'b')) names.push(name)
    assert.deepEqual(names, ['a', 'c'])
    assert.deepEqual(await readAll('--b--'), [])
  })

  it('is refused when it is malformed or out of bounds', async () => {
    const refused = (body: string, message: RegExp) =>
      assert.rejects(readAll(body), { code: 'VALIDATION_ERROR', message })
    await refused('', /ends before its last part/)
    await refused('no delimiter', /ends before its last part/)
    await refused(`--b\r\n${named('name="a"')}\r\n\r\ncut o`, /ends before its last part/)
    await refused(`--b\r\n${named('name="a"')}\r\n\r\n`, /ends before its last part/)
    await refused(`--bc\r\n${named('name="a"')}\r\n\r\n\r\n--b--`, /boundary inside a part/)
    await refused(form(['no colon', '']), /malformed headers/)
    await refused(form(['Content-Type: text/plain', '']), /without a name/)
    await refused(form([named('filename="a"'), '']), /without a name/)
    await refused(form(['Content-Disposition: attachment; name="a"', '']), /without a name/)
    await refused(form([`${named('name="a"')}\r\nX: ${'x'.repeat(5000)}`, '']), /overlong headers/)
    const part: [string, string] = [named('name="a"'), '']
    assert.equal((await readAll(form(...Array(32).fill(part)))).length, 32)
    await refused(form(...Array(33).fill(part)), /more than 32 parts/)
  })
})

describe('boundaryOf', () => {
  it('finds the boundary of a form, and of nothing else', () => {
    assert.equal(boundaryOf('multipart/form-data; boundary=abc'), 'abc')
    assert.equal(boundaryOf('Multipart/Form-Data; charset=utf-8; BOUNDARY="a b:c"'), 'a b:c')
    for (const other of [
      undefined,
      'application/json',
      'multipart/form-data',
      'multipart/form-data; boundary=',
      `multipart/form-data; boundary=${'x'.repeat(71)}`,
      'multipart/mixed; boundary=abc',
      'multipart/form-database; boundary=abc',
    ])
      assert.equal(boundaryOf(other), undefined)
  })
})
