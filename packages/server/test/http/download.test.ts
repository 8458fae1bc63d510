import assert from 'node:assert/strict'
import { after, describe, it } from 'node:test'
import { createFeed, registerAll } from '../support/community.ts'
import { sqlite } from '../support/engines.ts'
import { filePart, postForm, type TestPart } from '../support/forms.ts'
import { type Client, failure, startTestServer, type TestServer } from '../support/server.ts'

const TEXT = '0123456789abcdef'

/** A file of the administrator's that nobody else may read. */
async function fileOf(server: TestServer) {
  const [ada, bob] = await registerAll(server, 'ada', 'bob')
  const feed = await createFeed(ada)
  const upload = async (part: TestPart) => {
    const { status, body } = await postForm(ada, `/feeds/${feed}/files`, part)
    assert.equal(status, 201)
    return `/files/${body.file_id}`
  }
  return { ada, bob, upload, path: await upload(filePart(TEXT)) }
}

describe('a download', () => {
  const server = startTestServer(sqlite)
  const file = server.then(fileOf)
  after(async () => (await server).close())

  const get = async (headers: Record<string, string>) => {
    const { ada, path } = await file
    return ada.get(path, headers)
  }

  it('cannot be taken for a page, whatever is in it', async () => {
    const { ada, upload } = await file
    for (const type of ['text/html', 'image/svg+xml', 'application/xhtml+xml', 'text/javascript']) {
      const { headers, body } = await ada.get(await upload(filePart('<script>alert(1)</script>', { type })))
      assert.equal(body, '<script>alert(1)</script>')
      assert.equal(headers.get('content-type'), type)
      assert.equal(headers.get('x-content-type-options'), 'nosniff')
      assert.equal(headers.get('content-security-policy'), "default-src 'none'; sandbox")
      assert.match(headers.get('content-disposition') ?? '', /^attachment; /)
    }
  })

  it('has its name in a form for every client, and nothing else in the header', async () => {
    const { ada, upload } = await file
    const disposition = async (content: string) => {
      const { body } = await postForm(ada, '/feeds/1/files', filePart('x'), { name: 'name', content })
      return (await ada.get(`/files/${body.file_id}`)).headers.get('content-disposition')
    }
    assert.equal(await disposition('a.txt'), `attachment; filename="a.txt"; filename*=UTF-8''a.txt`)
    assert.equal(
      await disposition(`"'(*)%;é😀.txt`),
      `attachment; filename="_'(*)_;__.txt"; filename*=UTF-8''%22%27%28%2A%29%25%3B%C3%A9%F0%9F%98%80.txt`,
    )
    assert.equal(
      await disposition('a"; filename="b\r\nX-Evil: 1'),
      `attachment; filename="a_; filename=_bX-Evil: 1"; filename*=UTF-8''a%22%3B%20filename%3D%22bX-Evil%3A%201`,
    )
    assert.equal((await ada.get(await upload(filePart('x', { fileName: 'a\\\\b' })))).headers.get('x-evil'), null)
  })

  it('says how long it is and how long it may be kept', async () => {
    const { status, headers, body } = await get({})
    assert.deepEqual([status, body], [200, TEXT])
    assert.equal(headers.get('content-length'), '16')
    assert.equal(headers.get('accept-ranges'), 'bytes')
    assert.equal(headers.get('cache-control'), 'private, max-age=3600')
    assert.match(headers.get('etag') ?? '', /^"[\w-]{22}"$/)
  })

  it('of a range is that range', async () => {
    const ranges: [range: string, body: string, contentRange: string][] = [
      ['bytes=0-9', '0123456789', 'bytes 0-9/16'],
      ['bytes=0-0', '0', 'bytes 0-0/16'],
      ['bytes=10-', 'abcdef', 'bytes 10-15/16'],
      ['bytes=10-999', 'abcdef', 'bytes 10-15/16'],
      ['bytes=-6', 'abcdef', 'bytes 10-15/16'],
      ['bytes=-999', TEXT, 'bytes 0-15/16'],
    ]
    for (const [range, text, contentRange] of ranges) {
      const { status, headers, body } = await get({ range })
      assert.deepEqual([status, body, headers.get('content-range')], [206, text, contentRange])
      assert.equal(headers.get('content-length'), String(text.length))
      assert.equal(headers.get('x-content-type-options'), 'nosniff')
    }
  })

  it('is whole when the range is of a form that is not known, or of another version', async () => {
    for (const range of [
      'bytes=0-1,4-5',
      'bytes=5-2',
      'bytes=',
      'bytes=-',
      'bytes=a-b',
      'bytes',
      'lines=0-1',
      'bytes=1.5-2',
    ])
      assert.deepEqual([(await get({ range })).status, (await get({ range })).body], [200, TEXT], range)
    assert.equal((await get({ range: 'bytes=0-1', 'if-range': '"other"' })).status, 200)
    const etag = (await get({})).headers.get('etag') ?? ''
    assert.equal((await get({ range: 'bytes=0-1', 'if-range': etag })).status, 206)
  })

  it('of a range beyond the end is refused', async () => {
    for (const range of ['bytes=16-', 'bytes=999-9999', 'bytes=-0']) {
      const answer = await get({ range })
      assert.equal(failure(answer), '416 VALIDATION_ERROR')
      assert.equal(answer.headers.get('content-range'), 'bytes */16')
      assert.match(answer.headers.get('content-type') ?? '', /^application\/json/)
    }
  })

  it('is not repeated for those who have it', async () => {
    const etag = (await get({})).headers.get('etag') ?? ''
    for (const known of [etag, `W/${etag}`, `"other", ${etag}`, '*']) {
      const { status, headers, body } = await get({ 'if-none-match': known })
      assert.deepEqual([status, body, headers.get('etag')], [304, '', etag])
    }
    for (const other of ['"other"', etag.slice(1, -1)])
      assert.equal((await get({ 'if-none-match': other })).status, 200)
    assert.equal((await get({ 'if-none-match': etag, range: 'bytes=0-1' })).status, 304)
  })

  it('can be asked about without its bytes', async () => {
    const { ada, path } = await file
    const { status, headers, body } = await ada.raw('HEAD', `/api/v1${path}`, undefined, { range: 'bytes=0-1' })
    assert.deepEqual([status, body, headers.get('content-length')], [200, '', '16'])
    assert.equal(headers.get('content-type'), 'text/plain')
    assert.match(headers.get('content-disposition') ?? '', /^attachment; /)
    const other = await ada.raw('HEAD', '/api/v1/users/@me')
    assert.equal(other.status, 405)
    assert.equal((await ada.request('PUT', path)).headers.get('allow'), 'GET, HEAD, DELETE')
  })

  it('is the file object for those who accept nothing but JSON', async () => {
    for (const accept of ['application/json', 'Application/JSON; q=0.9, text/html']) {
      const { status, headers, body } = await get({ accept })
      assert.deepEqual([status, body.size, body.name], [200, 16, 'file.txt'])
      assert.match(headers.get('content-type') ?? '', /^application\/json/)
    }
    for (const accept of ['*/*', 'application/json, */*', 'application/json, text/*', 'text/html', ''])
      assert.equal((await get({ accept })).body, TEXT)
  })

  it('needs the right to it in every form', async () => {
    const { ada, bob, path } = await file
    const etag = (await get({})).headers.get('etag') ?? ''
    const forms: Record<string, string>[] = [
      {},
      { accept: 'application/json' },
      { 'if-none-match': etag },
      { range: 'bytes=0-1' },
      { range: 'bytes=99-' },
    ]
    for (const headers of forms) {
      assert.equal(failure(await bob.get(path, headers)), '403 FORBIDDEN')
      assert.equal(failure(await (await server).visitor.get(path, headers)), '422 VALIDATION_ERROR')
    }
    const head = (client: Client, of: string) => client.raw('HEAD', `/api/v1${of}`)
    assert.equal((await head(bob, path)).status, 403)
    assert.equal((await head((await server).visitor, path)).status, 422)
    assert.equal((await head(ada, '/files/unknown')).status, 404)
    for (const unknown of ['unknown', 'abcdefghijklmnopqrstu0', '..%2F..%2Fetc%2Fpasswd', '%00'])
      assert.match(failure(await ada.get(`/files/${unknown}`)), /^(404 FILE_NOT_FOUND|422 VALIDATION_ERROR)$/)
  })
})
