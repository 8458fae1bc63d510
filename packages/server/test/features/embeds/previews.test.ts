import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { fullEmbed } from '@vox/protocol'
import type { Resolver } from '../../../src/outbound/target.ts'
import { TestClock } from '../../support/clock.ts'
import { registerAll } from '../../support/community.ts'
import { sqlite } from '../../support/engines.ts'
import { eventually } from '../../support/eventually.ts'
import { failure, startTestServer } from '../../support/server.ts'
import { type Page, startSite } from '../../support/web-site.ts'

const NOTHING = fullEmbed({})
const HTML = { 'content-type': 'text/html' }

/** A server for which `site.example`, and no other name, is a site of the internet with these pages. */
async function withSite(page: Page) {
  const clock = new TestClock()
  const site = await startSite(page)
  const names: Record<string, string[]> = {
    'site.example': ['127.0.0.1'],
    'half.example': ['93.184.215.14', '10.0.0.1'],
  }
  const resolve: Resolver = async (host) => names[host] ?? []
  const server = await startTestServer(sqlite, { clock, resolve, env: { VOX_OUTBOUND_ALLOW: 'site.example' } })
  const [ada, bob] = await registerAll(server, 'ada', 'bob')
  return {
    ada,
    bob,
    clock,
    site,
    url: `http://site.example:${site.port}`,
    preview: (url: string, client = ada) => client.post('/embeds/resolve', { url }),
    async [Symbol.asyncDispose]() {
      await site[Symbol.asyncDispose]()
      await server.close()
    },
  }
}

describe('the preview of a link', () => {
  it('shows what the page says of itself, wherever redirects lead', async () => {
    await using test = await withSite((request, response) => {
      if (request.url === '/') response.writeHead(302, { location: 'deep/page' }).end()
      else response.writeHead(200, HTML).end('<title>Tea</title><meta property="og:image" content="i.png">')
    })
    const { status, body } = await test.preview(`${test.url}/`)
    assert.deepEqual([status, body], [200, { ...NOTHING, title: 'Tea', image: `${test.url}/deep/i.png` }])
    const { headers } = test.site.requests[0] ?? assert.fail()
    assert.deepEqual(
      [headers['user-agent'], headers.accept, headers.cookie, headers.authorization],
      ['VoxBot/1.0', 'text/html, application/xhtml+xml', undefined, undefined],
    )
  })

  it('is refused for what is not public, in the same words', async () => {
    await using test = await withSite((_request, response) =>
      response.writeHead(302, { location: 'http://10.0.0.1/' }).end(),
    )
    const urls = [
      '',
      'site.example',
      'ftp://site.example/',
      'https://',
      'http://unknown.example/',
      'http://127.0.0.1/',
      'http://[::1]/',
      'http://2130706433/',
      'http://[::ffff:10.0.0.1]/',
      'http://half.example/',
      `${test.url}/`,
    ]
    const answers = await Promise.all(urls.map((url) => test.preview(url)))
    for (const answer of answers) {
      assert.equal(failure(answer), '400 INVALID_URL')
      assert.deepEqual(answer.body.error, {
        code: 'INVALID_URL',
        message: 'The URL must be http or https and lead to a public host.',
      })
    }
    const url = `${test.url}/`
    assert.equal(failure(await test.preview(url.padEnd(2048, 'x'))), '400 INVALID_URL')
    assert.equal(failure(await test.preview(url.padEnd(2049, 'x'))), '422 VALIDATION_ERROR')
  })

  it('is empty for a page that cannot be read', async () => {
    const pages: Record<string, Page> = {
      '/large': (_request, response) => response.writeHead(200, HTML).end(`<title>T</title>${' '.repeat(1_048_576)}`),
      '/broken': (request) => request.socket.destroy(),
      '/nowhere': (_request, response) => response.writeHead(302).end(),
      '/loop': (_request, response) => response.writeHead(302, { location: '/loop' }).end(),
      '/error': (_request, response) => response.writeHead(500, HTML).end('<title>T</title>'),
      '/text': (_request, response) =>
        response.writeHead(200, { 'content-type': 'text/plain' }).end('<title>T</title>'),
      '/empty': (_request, response) => response.writeHead(204).end(),
    }
    await using test = await withSite((request, response) => pages[request.url ?? '']?.(request, response))
    for (const path of Object.keys(pages)) {
      const { status, body } = await test.preview(test.url + path)
      assert.deepEqual([status, body], [200, NOTHING], path)
    }
    assert.equal(test.site.visits.filter((visit) => visit === 'GET /loop').length, 6)
    await test.site[Symbol.asyncDispose]()
    assert.deepEqual((await test.preview(`${test.url}/refused`)).body, NOTHING)
  })

  it('is empty for a page that takes longer than five seconds', async () => {
    await using test = await withSite((_request, response) => void response.writeHead(200, HTML).write('<title>'))
    const asked = test.preview(`${test.url}/`)
    await eventually(async () => assert.equal(test.site.visits.length, 1))
    test.clock.advance(5000)
    assert.deepEqual((await asked).body, NOTHING)
  })

  it('is known for five minutes, to everybody', async () => {
    await using test = await withSite((_request, response) => response.writeHead(200, HTML).end('<title>T</title>'))
    const visitsAfter = async (client = test.ada) => {
      await test.preview(`${test.url}/`, client)
      return test.site.visits.length
    }
    assert.deepEqual([await visitsAfter(), await visitsAfter(), await visitsAfter(test.bob)], [1, 1, 1])
    test.clock.advance(299_999)
    assert.equal(await visitsAfter(), 1)
    test.clock.advance(1)
    assert.equal(await visitsAfter(), 2)
  })

  it('is made of at most four pages at once for one user', async () => {
    const open: (() => void)[] = []
    await using test = await withSite((_request, response) =>
      open.push(() => response.writeHead(200, HTML).end('<title>T</title>')),
    )
    const asked = [1, 2, 3, 4, 5, 6].map((n) => test.preview(`${test.url}/${n}`))
    await eventually(async () => assert.equal(open.length, 4))
    const other = test.preview(`${test.url}/other`, test.bob)
    await eventually(async () => assert.equal(open.length, 5))
    assert.ok(!test.site.visits.includes('GET /5'))
    for (let answered = 0; answered < 7; answered++) {
      await eventually(async () => assert.ok(open.length > 0))
      open.shift()?.()
    }
    for (const { body } of await Promise.all([...asked, other])) assert.equal(body.title, 'T')
  })
})
