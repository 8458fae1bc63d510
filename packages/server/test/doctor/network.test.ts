import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import type { Env } from '../../src/config/environment.ts'
import { examine } from '../../src/doctor/doctor.ts'
import { sqlite } from '../support/engines.ts'
import { startTestServer } from '../support/server.ts'
import { TlsProxy } from '../support/tls-proxy.ts'

/** Checks that come the way clients come. */
const OUTSIDE = ['gateway', 'certificate', 'client addresses', 'upload size'] as const

type Outside = Record<(typeof OUTSIDE)[number], { level: string; text: string; cure: string }>

/** What the doctor says of a server behind this proxy. */
async function behind(manners: Parameters<typeof TlsProxy.start>[0] = {}, env: Env = {}): Promise<Outside> {
  await using proxy = await TlsProxy.start(manners)
  const shared = { VOX_SERVER_GATEWAY_URL: proxy.gatewayUrl, VOX_LIMIT_FILE_UPLOAD_MAX_BYTES: '100000', ...env }
  await using server = await startTestServer(sqlite, { env: shared })
  proxy.leadTo(server.url)
  return await examined({
    ...shared,
    VOX_DATABASE_URL: server.databaseUrl,
    VOX_STORAGE_PATH: server.storagePath,
  })
}

async function examined(env: Env): Promise<Outside> {
  const found = await examine(env)
  return Object.fromEntries(
    found
      .filter(({ check }) => OUTSIDE.some((name) => name === check))
      .map(({ check, level, text, cure = '' }) => [check, { level, text, cure }]),
  ) as Outside
}

describe('the doctor, outside of the proxy', () => {
  describe('whose certificate is trusted', () => {
    const trusted = process.env.NODE_TLS_REJECT_UNAUTHORIZED
    before(() => {
      process.env.NODE_TLS_REJECT_UNAUTHORIZED = '0'
    })
    after(() => {
      if (trusted === undefined) delete process.env.NODE_TLS_REJECT_UNAUTHORIZED
      else process.env.NODE_TLS_REJECT_UNAUTHORIZED = trusted
    })

    it('is content with a good one', async () => {
      const found = await behind()
      for (const check of OUTSIDE) assert.equal(found[check].level, 'ok', `${check}: ${found[check].text}`)
    })

    it('notices a certificate that should have been renewed', async () => {
      assert.equal((await behind({ days: 5 })).certificate.level, 'warning')
    })

    it('notices a proxy that lets nobody become a WebSocket', async () => {
      const { gateway } = await behind({ upgrades: false })
      assert.equal(gateway.level, 'error')
      assert.match(gateway.cure, /proxy_set_header Upgrade/)
    })

    it('notices a proxy that keeps its clients to itself, or is not believed, or everybody is', async () => {
      const silent = (await behind({ forwardsAddress: false }))['client addresses']
      assert.equal(silent.level, 'error')
      assert.match(silent.cure, /X-Forwarded-For/)
      const strange = (await behind({}, { VOX_TRUSTED_PROXIES: '192.0.2.1' }))['client addresses']
      assert.equal(strange.level, 'error')
      assert.match(strange.cure, /VOX_TRUSTED_PROXIES/)
      assert.equal((await behind({}, { VOX_TRUSTED_PROXIES: '0.0.0.0/0' }))['client addresses'].level, 'error')
    })

    it('notices a proxy that takes smaller files than the server', async () => {
      const found = (await behind({ maxBody: 50_000 }))['upload size']
      assert.equal(found.level, 'error')
      assert.match(found.cure, /client_max_body_size/)
    })

    it('notices a proxy that leads to another server, or to none', async () => {
      await using proxy = await TlsProxy.start()
      await using server = await startTestServer(sqlite)
      await using other = await startTestServer(sqlite)
      const env = {
        VOX_SERVER_GATEWAY_URL: proxy.gatewayUrl,
        VOX_DATABASE_URL: server.databaseUrl,
        VOX_STORAGE_PATH: server.storagePath,
      }
      proxy.leadTo(other.url)
      assert.match((await examined(env)).gateway.text, /but not the server of these settings/)
      proxy.leadTo('http://127.0.0.1:1')
      assert.equal((await examined(env)).gateway.level, 'error')
    })
  })

  it('names the cure for a certificate that clients do not trust', async () => {
    const { certificate, gateway } = await behind()
    assert.deepEqual([certificate.level, gateway.level], ['error', 'error'])
    assert.match(certificate.cure, /certificate that clients trust/)
  })

  it('notices that nobody listens', async () => {
    const { gateway } = await examined({
      VOX_SERVER_GATEWAY_URL: 'wss://127.0.0.1:1/gateway',
      VOX_DATABASE_URL: 'sqlite+aiosqlite:///does-not-exist.db',
    })
    assert.equal(gateway.level, 'error')
    assert.match(gateway.cure, /reverse proxy runs/)
  })
})
