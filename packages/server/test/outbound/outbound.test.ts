import assert from 'node:assert/strict'
import { mkdirSync, readFileSync } from 'node:fs'
import { type ServerResponse, setGlobalProxyFromEnv } from 'node:http'
import { describe, it } from 'node:test'
import { setImmediate } from 'node:timers/promises'
import { getCACertificates, setDefaultCACertificates, type TLSSocket } from 'node:tls'
import { brotliCompressSync, gzipSync } from 'node:zlib'
import { Outbound, type OutboundRequest } from '../../src/outbound/outbound.ts'
import type { Resolver } from '../../src/outbound/target.ts'
import { newCertificate } from '../support/certificate.ts'
import { TestClock } from '../support/clock.ts'
import { freshPath } from '../support/folder.ts'
import { type Page, startSite } from '../support/web-site.ts'

const MIB = 1_048_576

/** Makes a request to `http://site.example` on a loopback port, whose name alone is exempt from the address filter. */
async function visit(page: Page, request: Partial<OutboundRequest> = {}, path = '/') {
  await using site = await startSite(page)
  const answer = await client().fetch(`http://site.example:${site.port}${path}`, { timeoutMs: 5000, ...request })
  return { ...answer, text: answer.body.toString(), site }
}

function client(clock = new TestClock(), resolve: Resolver = async () => ['127.0.0.1']): Outbound {
  return new Outbound({ clock, resolve, exempt: () => ['site.example'] })
}

const failure = (message: string) => ({ name: 'OutboundFailure', message })
const refusal = { code: 'INVALID_URL' }
const redirect = (response: ServerResponse, location: string) => response.writeHead(302, { location }).end()

describe('an outgoing request', () => {
  it('names the host, and nothing of ours or of whoever caused it', async () => {
    const { site, text, status } = await visit((_request, response) => response.end('hello'), {}, '/a?b=c#d')
    assert.deepEqual([status, text, site.visits], [200, 'hello', ['GET /a?b=c']])
    assert.deepEqual(site.requests[0]?.headers, {
      'user-agent': 'VoxBot/1.0',
      'accept-encoding': 'gzip, br',
      host: `site.example:${site.port}`,
      connection: 'close',
    })
  })

  it('may carry a body', async () => {
    const headers = { 'content-type': 'application/json' }
    const { text, site } = await visit((request, response) => request.pipe(response), {
      method: 'POST',
      headers,
      body: '{"ä":1}',
    })
    assert.deepEqual([text, site.visits], ['{"ä":1}', ['POST /']])
    assert.equal(site.requests[0]?.headers['content-length'], '8')
  })

  it('goes to the address that was judged, though the name leads elsewhere at a second look', async () => {
    await using site = await startSite((_request, response) => response.end('judged'))
    const looks: string[] = []
    const rebinding: Resolver = async (host) => (looks.push(host) === 1 ? ['127.0.0.1'] : ['127.0.0.2'])
    const url = `http://site.example:${site.port}/`
    const { body } = await client(new TestClock(), rebinding).fetch(url, { timeoutMs: 5000 })
    assert.deepEqual([body.toString(), looks], ['judged', ['site.example']])
  })

  it('takes no proxy of the environment', async () => {
    await using proxy = await startSite((_request, response) => response.end('proxy'))
    const restore = setGlobalProxyFromEnv({ http_proxy: `http://127.0.0.1:${proxy.port}` })
    assert.equal((await visit((_request, response) => response.end('site'))).text, 'site')
    restore()
    assert.deepEqual(proxy.visits, [])
  })

  it('ends with the server', async () => {
    const outbound = client()
    await using site = await startSite(() => outbound.close())
    const ending = outbound.fetch(`http://site.example:${site.port}/`, { timeoutMs: 5000 })
    await assert.rejects(ending, failure('the server stops'))
  })
})

describe('redirects', () => {
  const chain =
    (count: number): Page =>
    (request, response) => {
      const step = Number(request.url?.slice(1))
      if (step < count) redirect(response, `/${step + 1}`)
      else response.end(`arrived at ${step}`)
    }

  it('are followed as far as wanted; the one after that is the answer', async () => {
    const five = await visit(chain(5), { redirects: 5 }, '/0')
    assert.deepEqual([five.text, five.url.pathname], ['arrived at 5', '/5'])
    assert.equal((await visit(chain(6), { redirects: 5 }, '/0')).status, 302)
    const none = await visit(chain(1), {}, '/0')
    assert.deepEqual([none.status, none.site.visits], [302, ['GET /0']])
  })

  it('without a target are the answer', async () => {
    assert.equal((await visit((_request, response) => response.writeHead(302).end(), { redirects: 5 })).status, 302)
  })

  for (const target of [
    'http://127.0.0.1/',
    'http://10.0.0.1/',
    'http://[::1]/',
    '//2130706433/',
    'ftp://site.example/',
    'http://',
  ])
    it(`to ${target} are refused`, async () => {
      await assert.rejects(
        visit((_request, response) => redirect(response, target), { redirects: 5 }),
        refusal,
      )
    })

  it('are judged by the address at that moment', async () => {
    await using site = await startSite((_request, response) => redirect(response, 'http://other.example/'))
    await assert.rejects(
      client().fetch(`http://site.example:${site.port}/`, { timeoutMs: 5000, redirects: 1 }),
      refusal,
    )
  })
})

describe('what comes back', () => {
  it('is taken up to the limit and not a byte further', async () => {
    const page =
      (size: number): Page =>
      (_request, response) =>
        response.end(Buffer.alloc(size))
    assert.equal((await visit(page(MIB))).body.length, MIB)
    await assert.rejects(visit(page(MIB + 1)), failure('the answer is too long'))
    assert.equal((await visit(page(10), { maxBytes: 10 })).body.length, 10)
    await assert.rejects(visit(page(11), { maxBytes: 10 }), failure('the answer is too long'))
  })

  it('is decompressed', async () => {
    for (const [encoding, bytes] of [
      ['gzip', gzipSync('small')],
      ['X-Gzip', gzipSync('small')],
      ['br', brotliCompressSync('small')],
      ['identity', 'small'],
    ] as const)
      assert.equal(
        (await visit((_request, response) => response.writeHead(200, { 'content-encoding': encoding }).end(bytes)))
          .text,
        'small',
      )
  })

  it('may not unfold to more than the limit', async () => {
    const bombs = { gzip: gzipSync(Buffer.alloc(200 * MIB)), br: brotliCompressSync(Buffer.alloc(200 * MIB)) }
    for (const [encoding, bomb] of Object.entries(bombs))
      await assert.rejects(
        visit((_request, response) => response.writeHead(200, { 'content-encoding': encoding }).end(bomb)),
        failure('the answer is too long'),
      )
  })

  it('may not be damaged or in an unknown encoding', async () => {
    const page =
      (encoding: string, bytes: string): Page =>
      (_request, response) =>
        response.writeHead(200, { 'content-encoding': encoding }).end(bytes)
    await assert.rejects(visit(page('gzip', 'no gzip')), failure('Z_DATA_ERROR'))
    await assert.rejects(visit(page('zip', '')), failure('the answer is in an unknown encoding'))
    await assert.rejects(visit(page('gzip, gzip', '')), failure('the answer is in an unknown encoding'))
  })

  it('may not break off', async () => {
    const page: Page = (_request, response) => {
      response.writeHead(200, { 'content-length': 10 }).write('half')
      void setImmediate().then(() => response.destroy())
    }
    await assert.rejects(visit(page), failure('ECONNRESET'))
  })

  it('must be HTTP', async () => {
    await assert.rejects(
      visit((request) => request.socket.end('SSH-2.0-OpenSSH\r\n')),
      failure('HPE_INVALID_CONSTANT'),
    )
  })
})

describe('time', () => {
  /** Waits until the request is under way, then lets its time pass. */
  async function outlasted(page: Page): Promise<void> {
    const clock = new TestClock()
    const arrived = Promise.withResolvers<void>()
    await using site = await startSite((request, response) => {
      page(request, response)
      arrived.resolve()
    })
    const ending = client(clock).fetch(`http://site.example:${site.port}/`, { timeoutMs: 5000, redirects: 5 })
    const failed = assert.rejects(ending, failure('timed out'))
    await arrived.promise
    clock.advance(4999)
    const still = setImmediate('running')
    assert.equal(await Promise.race([failed, still]), 'running')
    clock.advance(1)
    await failed
  }

  it('ends a request that is not answered', () => outlasted(() => {}))

  it('ends an answer that drips without end', () =>
    outlasted((_request, response) => {
      response.write('x')
      const drip = setInterval(() => response.write('x'), 1)
      response.on('close', () => clearInterval(drip))
    }))

  it('counts for the whole chain of redirects', () => {
    let left = 3
    return outlasted((_request, response) => (left-- > 0 ? redirect(response, '/again') : undefined))
  })

  it('ends a look-up that hangs', async () => {
    const clock = new TestClock()
    const ending = client(clock, () => new Promise(() => {})).fetch('http://site.example/', { timeoutMs: 5000 })
    const failed = assert.rejects(ending, failure('timed out'))
    clock.advance(5000)
    await failed
  })
})

describe('a check', () => {
  it('refuses a host whose look-up hangs', async () => {
    const clock = new TestClock()
    const refused = assert.rejects(client(clock, () => new Promise(() => {})).check('http://site.example/'), refusal)
    clock.advance(5000)
    await refused
  })
})

describe('a failure', () => {
  it('is a connection that ends without an answer, or becomes another protocol', async () => {
    for (const words of ['', 'HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: other\r\n\r\n']) {
      const hangUp: Page = ({ socket }) => socket.end(words)
      await assert.rejects(visit(hangUp), { name: 'OutboundFailure' })
    }
  })

  it('names no address', async () => {
    const site = await startSite(() => {})
    await site[Symbol.asyncDispose]()
    await assert.rejects(
      client().fetch(`http://site.example:${site.port}/`, { timeoutMs: 5000 }),
      failure('ECONNREFUSED'),
    )
  })
})

describe('TLS', () => {
  it('asks for the name, and takes only a certificate for it', async () => {
    const folder = freshPath()
    mkdirSync(folder)
    const { cert, key, pem } = newCertificate(folder, 'DNS:site.example')
    setDefaultCACertificates([...getCACertificates('default'), pem])
    const page: Page = ({ socket }, response) => response.end(String((socket as TLSSocket).servername))
    await using site = await startSite(page, { cert: readFileSync(cert), key: readFileSync(key) })
    const outbound = new Outbound({
      clock: new TestClock(),
      resolve: async () => ['127.0.0.1'],
      exempt: () => ['site.example', 'other.example'],
    })
    const asked = (host: string) => outbound.fetch(`https://${host}:${site.port}/`, { timeoutMs: 5000 })
    assert.equal((await asked('site.example')).body.toString(), 'site.example')
    await assert.rejects(asked('other.example'), failure('ERR_TLS_CERT_ALTNAME_INVALID'))
  })
})
