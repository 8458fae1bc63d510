import { HOTP, Secret } from 'otpauth'
import type { Authenticator } from './authenticator.ts'
import type { TestClock } from './clock.ts'
import type { Engine } from './engines.ts'
import { type Answer, type Client, PASSWORD, startTestServer, type TestOptions, type TestServer } from './server.ts'
import { runSql } from './sql.ts'

/** Makes passkeys usable on a test server, from {@link Authenticator}s. */
export const PASSKEYS = { VOX_WEBAUTHN_RP_ID: 'example.org', VOX_WEBAUTHN_ORIGIN: 'https://chat.example.org' }

const STEP_MS = 30_000

/** The code an authenticator app shows `steps` half minutes from now. */
export function totpCode(secret: string, clock: TestClock, steps = 0): string {
  return HOTP.generate({ secret: Secret.fromBase32(secret), counter: Math.floor(clock.now() / STEP_MS) + steps })
}

/** A code that is none of those that could be valid. */
export function wrongCode(secret: string, clock: TestClock): string {
  const valid = [-2, -1, 0, 1, 2].map((steps) => totpCode(secret, clock, steps))
  return ['000000', '111111', '222222', '333333', '444444', '555555'].find((code) => !valid.includes(code)) ?? ''
}

/** Sets TOTP up for the client's account. */
export async function enableTotp(
  client: Client,
  clock: TestClock,
): Promise<{ secret: string; recoveryCodes: string[] }> {
  const { setup_id, totp_secret: secret } = (await client.post('/auth/2fa/setup', { method: 'totp' })).body
  const confirmed = await client.post('/auth/2fa/setup/confirm', { setup_id, code: totpCode(secret, clock) })
  if (confirmed.status !== 200) throw new Error(JSON.stringify(confirmed.body))
  return { secret, recoveryCodes: confirmed.body.recovery_codes }
}

/** Registers the authenticator's passkey for the client's account; the confirmation's answer. */
export async function addPasskey(client: Client, authenticator: Authenticator, name?: string): Promise<Answer> {
  const { setup_id, creation_options } = (await client.post('/auth/2fa/setup', { method: 'webauthn' })).body
  const attestation = authenticator.create(creation_options)
  return client.post('/auth/2fa/setup/confirm', { setup_id, attestation, credential_name: name })
}

/** A password login: the answer, whatever it is. */
export function logIn({ visitor }: TestServer, username: string, password = PASSWORD): Promise<Answer> {
  return visitor.post('/auth/login', { username, password })
}

/** The ticket of a login that needs a second factor. */
export async function ticketFor(server: TestServer, username: string): Promise<string> {
  const { body } = await logIn(server, username)
  return body.error.mfa_ticket
}

/** A challenge for the passkeys of an account. */
export async function challengeFor({ visitor }: TestServer, username: string) {
  return (await visitor.post('/auth/login/webauthn/challenge', { username })).body
}

/** The server again after a restart, with these changes made to its database meanwhile. */
export async function restarted(
  server: TestServer,
  engine: Engine,
  options: TestOptions,
  ...statements: string[]
): Promise<TestServer> {
  await server.close()
  await runSql(server.databaseUrl, ...statements)
  return startTestServer(engine, { ...options, env: { ...options.env, VOX_DATABASE_URL: server.databaseUrl } })
}

/** A statement that adds a guest: a user of another server who has joined. */
export const guest = (username: string): string =>
  `insert into users (username, username_key, home_domain, federated, created_at, joined_at)
   values ('${username}@remote.example', '${username}@remote.example', 'remote.example', true, 0, 0)`
