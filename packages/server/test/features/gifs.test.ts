import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { TestClock } from '../support/clock.ts'
import { sqlite } from '../support/engines.ts'
import { eventually } from '../support/eventually.ts'
import { keepingLog } from '../support/log.ts'
import { failure, startTestServer } from '../support/server.ts'
import { type Page, startSite } from '../support/web-site.ts'

const KEY = 'k3y/of the community'

/** A server with this provider of GIFs, and a member. */
async function withProvider(page: Page, env: Record<string, string> = { VOX_GIFS_API_KEY: KEY }) {
  const clock = new TestClock()
  const { log, records } = keepingLog()
  const provider = await startSite(page)
  const server = await startTestServer(sqlite, {
    clock,
    log,
    gifOrigin: `http://127.0.0.1:${provider.port}`,
    env: { VOX_OUTBOUND_ALLOW: '127.0.0.1', ...env },
  })
  const ada = await server.register('ada')
  return {
    ada,
    clock,
    provider,
    records,
    async [Symbol.asyncDispose]() {
      await provider[Symbol.asyncDispose]()
      await server.close()
    },
  }
}

const answering =
  (answer: unknown): Page =>
  (_request, response) =>
    response.end(JSON.stringify(answer))

const format = (name: string) => ({ url: `https://static.example/${name}`, width: 200, height: 100, size: 5 })
const size = (name: string) => ({
  gif: format(`${name}.gif`),
  mp4: format(`${name}.mp4`),
  webp: format(`${name}.webp`),
})
const shown = (name: string) => ({ url: `https://static.example/${name}`, width: 200, height: 100 })

describe('GIFs', () => {
  it('are found by the provider, in its order and our form', async () => {
    const items = [
      {
        id: 17,
        title: 'Cat',
        file: { xs: size('xs'), sm: size('sm'), md: size('md'), hd: size('hd'), xl: size('xl') },
      },
      {
        slug: 'no id',
        file: { md: { gif: { url: 'https://static.example/x' }, mp4: { width: 5 }, jpg: format('x') }, hd: null },
      },
      { id: 'abc', title: null },
    ]
    await using test = await withProvider(
      answering({ result: true, data: { data: items, current_page: 1, has_next: true } }),
    )
    const { status, body } = await test.ada.get('/gifs/search?q=cat%20%26dog')
    assert.equal(status, 200)
    assert.deepEqual(body, {
      results: [
        {
          id: '17',
          title: 'Cat',
          media_formats: {
            tinygif: shown('xs.gif'),
            tinygif_mp4: shown('xs.mp4'),
            smallgif: shown('sm.gif'),
            smallgif_mp4: shown('sm.mp4'),
            gif: shown('md.gif'),
            gif_mp4: shown('md.mp4'),
            hdgif: shown('hd.gif'),
            hdgif_mp4: shown('hd.mp4'),
          },
        },
        { id: '', title: '', media_formats: { gif: { url: 'https://static.example/x', width: 0, height: 0 } } },
        { id: 'abc', title: '', media_formats: {} },
      ],
      next: '2',
    })
    assert.deepEqual(test.provider.visits, [
      'GET /api/v1/k3y%2Fof%20the%20community/gifs/search?q=cat+%26dog&per_page=20&content_filter=high',
    ])
  })

  it('come page by page', async () => {
    await using test = await withProvider(
      (request, response) => {
        const page = Number(new URL(request.url ?? '', 'http://x').searchParams.get('page') ?? 1)
        response.end(JSON.stringify({ data: { data: [{ id: page }], current_page: page, has_next: page < 2 } }))
      },
      { VOX_GIFS_API_KEY: KEY, VOX_GIFS_LOCALE: 'de_DE', VOX_GIFS_CONTENT_FILTER: 'off' },
    )
    const first = (await test.ada.get('/gifs/trending?limit=50')).body
    assert.deepEqual([first.results[0].id, first.next], ['1', '2'])
    const second = (await test.ada.get(`/gifs/trending?limit=50&page=${first.next}`)).body
    assert.deepEqual([second.results[0].id, second.next], ['2', null])
    const path = 'GET /api/v1/k3y%2Fof%20the%20community/gifs/trending?per_page=50&content_filter=off&locale=de_DE'
    assert.deepEqual(test.provider.visits, [path, `${path}&page=2`])
  })

  it('are asked for with words and in sensible numbers', async () => {
    await using test = await withProvider(answering({}))
    for (const path of [
      'search',
      'search?q=',
      'search?q=x&limit=51',
      'search?q=x&limit=0',
      'trending?limit=51',
      'trending?page=0',
      'trending?page=x',
      `search?q=${'x'.repeat(513)}`,
    ])
      assert.equal(failure(await test.ada.get(`/gifs/${path}`)), '422 VALIDATION_ERROR', path)
    assert.deepEqual(test.provider.visits, [])
  })

  it('are not to be had without a key or a provider, at once', async () => {
    for (const env of [{}, { VOX_GIFS_API_KEY: '' }, { VOX_GIFS_API_KEY: KEY, VOX_GIFS_PROVIDER: 'other' }]) {
      await using test = await withProvider(answering({}), env)
      for (const path of ['search?q=x', 'trending'])
        assert.equal(failure(await test.ada.get(`/gifs/${path}`)), '503 GIF_PROVIDER_UNAVAILABLE')
      assert.deepEqual(test.provider.visits, [])
    }
  })

  it('come from now on when an administrator gives the key', async () => {
    await using test = await withProvider(answering({ data: { data: [] } }), {})
    assert.equal((await test.ada.patch('/server/gifs', { api_key: KEY })).status, 200)
    assert.deepEqual((await test.ada.get('/gifs/trending')).body, { results: [], next: null })
  })

  it('fail with the provider, whose key is told to nobody', async () => {
    const failures: Page[] = [
      (_request, response) => response.writeHead(500).end(JSON.stringify({ data: { data: [] } })),
      (_request, response) => response.writeHead(302, { location: '/elsewhere' }).end(),
      (_request, response) => response.writeHead(200, { 'content-type': 'text/html' }).end('<html>'),
      answering([]),
      answering(null),
      answering({ data: null }),
      answering({ data: { data: {} } }),
      (request) => request.socket.destroy(),
      (_request, response) => response.end(' '.repeat(1_048_577)),
    ]
    let failing: Page = () => {}
    await using test = await withProvider((request, response) => failing(request, response))
    for (const page of failures) {
      failing = page
      const answer = await test.ada.get('/gifs/trending')
      assert.equal(failure(answer), '502 GIF_UPSTREAM_ERROR')
      assert.ok(!JSON.stringify(answer.body).includes('k3y'))
    }
    assert.equal(test.provider.visits.length, failures.length)
    await test.provider[Symbol.asyncDispose]()
    assert.equal(failure(await test.ada.get('/gifs/search?q=x')), '502 GIF_UPSTREAM_ERROR')
    assert.ok(test.records.some(({ message }) => message === 'the GIF provider failed'))
    assert.ok(!JSON.stringify(test.records).includes('k3y'))
  })

  it('fail after ten seconds', async () => {
    await using test = await withProvider(() => {})
    const asked = test.ada.get('/gifs/trending')
    await eventually(async () => assert.equal(test.provider.visits.length, 1))
    test.clock.advance(10_000)
    assert.equal(failure(await asked), '502 GIF_UPSTREAM_ERROR')
  })

  it('are known for a minute', async () => {
    await using test = await withProvider(answering({ data: { data: [] } }))
    for (const wait of [0, 59_999, 1]) {
      test.clock.advance(wait)
      await test.ada.get('/gifs/trending')
    }
    assert.equal(test.provider.visits.length, 2)
  })
})
