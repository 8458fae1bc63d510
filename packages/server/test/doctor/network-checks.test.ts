import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { describe, it } from 'node:test'
import { getCACertificates, setDefaultCACertificates } from 'node:tls'
import { type Deployment, inspect } from '../../src/doctor/deployment.ts'
import {
  addressesAreKnown,
  certificateIsValid,
  gatewayAnswers,
  gatewayIsPublic,
  uploadsPass,
} from '../../src/doctor/network-checks.ts'
import { explain } from '../../src/doctor/public-url.ts'
import { deploymentWith } from '../support/deployment.ts'
import { sqlite } from '../support/engines.ts'
import { freshPath } from '../support/folder.ts'
import { HttpProxy } from '../support/http-proxy.ts'
import { startTestServer } from '../support/server.ts'
import { vox } from '../support/vox.ts'

const LIMIT = 100_000

/** A certificate for localhost that is its own authority. */
function certificate(days: number) {
  const [cert, key] = [freshPath('.pem'), freshPath('.pem')]
  const names = ['-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost']
  const kind = ['-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', String(days)]
  execFileSync('openssl', ['req', ...kind, '-keyout', key, '-out', cert, ...names], { stdio: 'ignore' })
  return { cert: readFileSync(cert, 'utf8'), key: readFileSync(key, 'utf8') }
}

const [lasting, ending, unknown] = [certificate(60), certificate(5), certificate(60)]
setDefaultCACertificates([...getCACertificates(), lasting.cert, ending.cert])

/** A server behind a proxy, and what the doctor sees of it. */
async function deploy({ tls, env = {} }: { tls?: typeof lasting; env?: Record<string, string> } = {}) {
  await using opened = new AsyncDisposableStack()
  const proxy = opened.use(await HttpProxy.start(tls))
  const variables = {
    VOX_HOST: '127.0.0.1',
    VOX_PORT: '0',
    VOX_RATELIMIT_ENABLED: 'false',
    VOX_LIMIT_CONNECTIONS_PER_IP: '0',
    VOX_LOG_FORMAT: 'json',
    VOX_DATABASE_URL: await sqlite.freshUrl(),
    VOX_STORAGE_PATH: freshPath(),
    VOX_LIMIT_FILE_UPLOAD_MAX_BYTES: String(LIMIT),
    VOX_SERVER_GATEWAY_URL: `${tls ? 'wss://localhost' : 'ws://127.0.0.1'}:${proxy.port}/gateway`,
    ...env,
  }
  const server = opened.use(await startTestServer(sqlite, { env: variables }))
  proxy.target = server.url
  const deployment: Deployment = await inspect(variables)
  const resources = opened.move()
  return { proxy, variables, deployment, [Symbol.asyncDispose]: () => resources.disposeAsync() }
}

describe('the doctor on the gateway', () => {
  it('wants a URL that is public and encrypted', async () => {
    for (const [url, level] of [
      [undefined, 'error'],
      ['ws://localhost:8000/gateway', 'error'],
      ['ws://chat.example.org/gateway', 'error'],
      ['wss://chat.example.org/gateway', 'ok'],
    ] as const) {
      const finding = await gatewayIsPublic.run(deploymentWith(url ? { VOX_SERVER_GATEWAY_URL: url } : {}))
      assert.equal(finding.level, level)
    }
  })

  it('gets its hello through the proxy', async () => {
    await using place = await deploy()
    assert.equal((await gatewayAnswers.run(place.deployment)).level, 'ok')
  })

  it('tells a proxy without upgrades from one that does not reach the server', async () => {
    await using place = await deploy()
    for (const [status, cure] of [
      [426, /Upgrade \$http_upgrade/],
      [502, /VOX_HOST and VOX_PORT/],
    ] as const) {
      place.proxy.refuses = status
      const finding = await gatewayAnswers.run(place.deployment)
      assert.equal(finding.level, 'error')
      assert.match(finding.text, new RegExp(`answered with ${status}`))
      assert.match(finding.cure ?? '', cure)
    }
  })

  it('notices that another server answers', async () => {
    await using place = await deploy()
    await using other = await startTestServer(sqlite)
    place.proxy.target = other.url
    for (const check of [gatewayAnswers, addressesAreKnown]) {
      const { level, cure } = await check.run(place.deployment)
      assert.equal(level, 'error')
      assert.match(cure ?? '', /DNS and the proxy/)
    }
  })

  it('explains why nobody answers', async () => {
    const proxy = await HttpProxy.start()
    const env = { VOX_SERVER_GATEWAY_URL: `wss://localhost:${proxy.port}/gateway` }
    assert.match((await certificateIsValid.run(deploymentWith(env))).cure ?? '', /speaks TLS/)
    await proxy[Symbol.asyncDispose]()
    assert.match((await gatewayAnswers.run(deploymentWith(env))).cure ?? '', /firewall/)
    assert.match(explain({ code: 'ENOTFOUND', message: 'x' }).cure, /DNS records/)
    assert.equal((await gatewayAnswers.run(deploymentWith())).level, 'skipped')
  })
})

describe('the doctor on certificates', () => {
  for (const [what, tls, level, cure] of [
    ['is content with one that lasts', lasting, 'ok', /^$/],
    ['warns of one that ends soon', ending, 'warning', /renewed/],
    ['refuses one that nobody trusts', unknown, 'error', /clients trust/],
  ] as const)
    it(what, async () => {
      await using proxy = await HttpProxy.start(tls)
      const env = { VOX_SERVER_GATEWAY_URL: `wss://localhost:${proxy.port}/gateway` }
      const finding = await certificateIsValid.run(deploymentWith(env))
      assert.equal(finding.level, level, finding.text)
      assert.match(finding.cure ?? '', cure)
    })
})

describe('the doctor on client addresses', () => {
  for (const [what, env, forwards, level, cure] of [
    ['is content with a proxy that names its clients', {}, true, 'ok', /^$/],
    ['finds a proxy that names nobody', {}, false, 'error', /X-Forwarded-For/],
    ['finds a proxy that is not trusted', { VOX_TRUSTED_PROXIES: 'none' }, true, 'error', /Add 127\.0\.0\.1/],
    ['refuses to trust everybody', { VOX_TRUSTED_PROXIES: '0.0.0.0/0' }, true, 'error', /your own proxies/],
  ] as const)
    it(what, async () => {
      await using place = await deploy({ tls: lasting, env })
      place.proxy.forwards = forwards
      const finding = await addressesAreKnown.run(place.deployment)
      assert.equal(finding.level, level, finding.text)
      assert.match(finding.cure ?? '', cure)
    })
})

describe('the doctor on uploads', () => {
  it('sends the largest one through the proxy', async () => {
    await using place = await deploy()
    assert.equal((await uploadsPass.run(place.deployment)).level, 'ok')
    place.proxy.maxBody = LIMIT
    const { level, text, cure } = await uploadsPass.run(place.deployment)
    assert.equal(level, 'error')
    assert.match(text, /answered with 413/)
    assert.match(cure ?? '', /client_max_body_size 1m/)
  })
})

describe('vox doctor', () => {
  it('ends with status 1 on errors, and says all of it as JSON', async () => {
    await using place = await deploy()
    const { status, out, err } = await vox('doctor --json', place.variables)
    const { findings, error } = JSON.parse(out)
    assert.equal(status, 1)
    assert.match(err, new RegExp(`^vox: The doctor found ${error} error`))
    const levels = Object.fromEntries(findings.map(({ check, level }: Record<string, string>) => [check, level]))
    assert.equal(levels['gateway URL'], 'error')
    for (const name of ['variables', 'server', 'environment', 'gateway', 'upload size', 'database', 'migrations'])
      assert.equal(levels[name], 'ok', name)
  })

  it('prints each cure below its finding', async () => {
    const { status, out } = await vox('doctor', { VOX_DATABASE_URL: await sqlite.freshUrl() })
    assert.equal(status, 1)
    assert.match(out, /^error +gateway URL +Clients are told [^\n]*\n +→ Set VOX_SERVER_GATEWAY_URL/m)
  })

  it('says what is wrong with the variables before anything else', async () => {
    const { status, out } = await vox('doctor --json', { VOX_PORT: 'http' })
    assert.equal(status, 1)
    assert.match(JSON.parse(out).findings[0].text, /VOX_PORT is "http"/)
  })
})
