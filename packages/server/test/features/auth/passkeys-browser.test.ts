import assert from 'node:assert/strict'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { describe, it } from 'node:test'
import type { Browser, CDPSession, Page } from 'playwright-core'
import { ticketFor } from '../../support/accounts.ts'
import { startBrowser, withoutBrowser } from '../../support/browser.ts'
import { registerAll } from '../../support/community.ts'
import { sqlite } from '../../support/engines.ts'
import { type Answer, Client, failure, startTestServer, type TestServer } from '../../support/server.ts'

const PAGE = readFileSync(new URL('../../support/passkey-page.html', import.meta.url))

/** Serves the page at an origin of its own. `localhost` counts as secure without TLS. */
async function servePage() {
  const http = createServer((_request, response) => response.setHeader('content-type', 'text/html').end(PAGE))
  http.listen(0, 'localhost')
  await once(http, 'listening')
  const origin = `http://localhost:${(http.address() as AddressInfo).port}`
  return { origin, [Symbol.asyncDispose]: async () => void http.close() }
}

/** The page in a browser with a security key plugged in, talking to the server. */
class PasskeyPage {
  readonly #page: Page
  readonly #key: CDPSession
  readonly #authenticatorId: string

  private constructor(page: Page, key: CDPSession, authenticatorId: string) {
    this.#page = page
    this.#key = key
    this.#authenticatorId = authenticatorId
  }

  static async open(browser: Browser, origin: string, { url }: TestServer): Promise<PasskeyPage> {
    const page = await browser.newPage()
    await page.goto(`${origin}/?api=${encodeURIComponent(`${url}/api/v1`)}`)
    const key = await page.context().newCDPSession(page)
    await key.send('WebAuthn.enable')
    const { authenticatorId } = await key.send('WebAuthn.addVirtualAuthenticator', {
      options: {
        protocol: 'ctap2',
        transport: 'internal',
        hasResidentKey: true,
        hasUserVerification: true,
        isUserVerified: true,
        automaticPresenceSimulation: true,
      },
    })
    return new PasskeyPage(page, key, authenticatorId)
  }

  createPasskey({ token }: Client): Promise<Answer> {
    return this.#run('createPasskey', token)
  }

  usePasskey(username: string): Promise<object> {
    return this.#run('usePasskey', username)
  }

  logIn(username: string, assertion: object): Promise<Answer> {
    return this.#run('logIn', username, assertion)
  }

  call(method: string, path: string, body: object): Promise<Answer> {
    return this.#run('call', method, path, body)
  }

  /** The passkeys on the key, to be put back later as they are now, or onto another key. */
  async passkeys() {
    const { credentials } = await this.#key.send('WebAuthn.getCredentials', { authenticatorId: this.#authenticatorId })
    return credentials
  }

  async putPasskeys(credentials: Awaited<ReturnType<PasskeyPage['passkeys']>>): Promise<void> {
    const authenticatorId = this.#authenticatorId
    await this.#key.send('WebAuthn.clearCredentials', { authenticatorId })
    for (const credential of credentials)
      await this.#key.send('WebAuthn.addCredential', { authenticatorId, credential })
  }

  #run<T>(name: string, ...args: unknown[]): Promise<T> {
    return this.#page.evaluate(`${name}(...${JSON.stringify(args)})`)
  }
}

describe('passkeys in a browser', { skip: withoutBrowser }, () => {
  it('are made, log in, and serve as second factor; whatever is not in order is refused', async () => {
    await using site = await servePage()
    await using otherSite = await servePage()
    const env = {
      VOX_WEBAUTHN_RP_ID: 'localhost',
      VOX_WEBAUTHN_ORIGIN: site.origin,
      VOX_CORS_ORIGINS: `${site.origin},${otherSite.origin}`,
    }
    await using server = await startTestServer(sqlite, { env })
    await using browser = await startBrowser()
    const [ada, bob] = await registerAll(server, 'ada', 'bob')
    const page = await PasskeyPage.open(browser, site.origin, server)

    const created = await page.createPasskey(ada)
    assert.equal(created.status, 200)
    assert.equal(created.body.recovery_codes.length, 8)
    const asRegistered = await page.passkeys()
    assert.equal(asRegistered.length, 1)

    const assertion = await page.usePasskey('ada')
    const login = await page.logIn('ada', assertion)
    assert.equal(login.status, 200)
    assert.equal((await new Client(server.url, login.body.token).get('/users/@me')).body.username, 'ada')
    assert.equal(failure(await page.logIn('ada', assertion)), '400 WEBAUTHN_FAILED', 'a replay')

    const secondStep = async (given: object) =>
      page.call('POST', '/auth/login/2fa', {
        mfa_ticket: await ticketFor(server, 'ada'),
        method: 'webauthn',
        assertion: given,
      })
    assert.equal((await secondStep(await page.usePasskey('ada'))).status, 200)

    await page.createPasskey(bob)
    assert.equal(failure(await page.logIn('ada', await page.usePasskey('bob'))), '401 AUTH_FAILED', 'another user')
    assert.equal(failure(await secondStep(await page.usePasskey('bob'))), '400 WEBAUTHN_FAILED', 'another user')

    const otherPage = await PasskeyPage.open(browser, otherSite.origin, server)
    assert.equal(failure(await otherPage.createPasskey(bob)), '400 WEBAUTHN_FAILED', 'another origin')
    await otherPage.putPasskeys(await page.passkeys())
    const fromOtherSite = await otherPage.logIn('ada', await otherPage.usePasskey('ada'))
    assert.equal(failure(fromOtherSite), '401 WEBAUTHN_FAILED', 'another origin')

    assert.equal((await page.logIn('ada', await page.usePasskey('ada'))).status, 200)
    await page.putPasskeys(asRegistered)
    const withOldCounter = await page.logIn('ada', await page.usePasskey('ada'))
    assert.equal(failure(withOldCounter), '401 WEBAUTHN_FAILED', 'a counter that went back')
  })
})
