import assert from 'node:assert/strict'
import { utimesSync, writeFileSync } from 'node:fs'
import { mkdir } from 'node:fs/promises'
import path from 'node:path'
import { describe, it } from 'node:test'
import type { Env } from '../../src/config/environment.ts'
import { CHECKS, examine } from '../../src/doctor/doctor.ts'
import type { Machine } from '../../src/doctor/machine.ts'
import { sqlite } from '../support/engines.ts'
import { freshPath } from '../support/folder.ts'
import { startTestServer } from '../support/server.ts'
import { vox } from '../support/vox.ts'

/** A machine of which nothing is known but this. */
const machine = (known: {
  files?: Record<string, string>
  programs?: Record<string, string>
  dns?: string[]
}): Machine => ({
  read: async (file) => known.files?.[file],
  run: async (program) => known.programs?.[program],
  textRecords: async () => known.dns ?? [],
})

/** What the doctor says of a deployment, by check: the level, what was found and the cure. */
async function findings(env: Env, options: Parameters<typeof examine>[1] = {}) {
  const reported = await examine(env, { machine: machine({}), ...options })
  return new Map(reported.map(({ check, level, text, cure }) => [check, [level, text, cure ?? ''] as const]))
}

const withoutDatabase = (): Record<string, string> => ({
  VOX_DATABASE_URL: `sqlite+aiosqlite:///${freshPath('.db')}`,
  VOX_STORAGE_PATH: freshPath(),
})

async function levelOf(check: string, env: Env, options?: Parameters<typeof examine>[1]): Promise<string> {
  return (await findings({ ...withoutDatabase(), ...env }, options)).get(check)?.[0] ?? 'missing'
}

describe('the doctor, where nothing has been started', () => {
  it('says what is missing, and changes nothing', async () => {
    const env = withoutDatabase()
    const found = await findings(env)
    assert.deepEqual(
      [...found.keys()],
      CHECKS.map(({ name }) => name),
    )
    const levels = Object.fromEntries([...found].map(([check, [level]]) => [check, level]))
    assert.deepEqual(levels, {
      variables: 'ok',
      server: 'warning',
      environment: 'skipped',
      processes: 'skipped',
      'gateway URL': 'error',
      gateway: 'skipped',
      certificate: 'skipped',
      'client addresses': 'skipped',
      'upload size': 'skipped',
      database: 'ok',
      migrations: 'warning',
      'file storage': 'skipped',
      'disk space': levels['disk space'],
      backups: 'skipped',
      passkeys: 'warning',
      federation: 'ok',
      voice: 'warning',
      'log format': 'ok',
      restart: 'skipped',
      'open files': 'skipped',
      clock: 'skipped',
    })
    for (const [check, [level, , cure]] of found)
      assert.equal(cure !== '', level === 'error' || level === 'warning', `${check} has a cure where it needs one`)
    assert.equal((await findings(env)).get('migrations')?.[0], 'warning')
  })

  it('speaks of nothing else when the environment cannot be used', async () => {
    const found = await examine({ VOX_PORT: 'many' })
    assert.deepEqual(
      found.map(({ check, level }) => [check, level]),
      [['variables', 'error']],
    )
  })

  it('notices misspelt variables', async () => {
    assert.equal(await levelOf('variables', { VOX_SERVER_NMAE: 'x' }), 'warning')
  })

  it('wants a database that outlives the server and can be reached', async () => {
    assert.equal(await levelOf('database', { VOX_DATABASE_URL: 'sqlite+aiosqlite:///:memory:' }), 'error')
    const unreachable = { VOX_DATABASE_URL: 'postgresql://vox@127.0.0.1:1/vox' }
    assert.equal(await levelOf('database', unreachable), 'error')
    assert.equal(await levelOf('migrations', unreachable), 'skipped')
    assert.equal(await levelOf('processes', unreachable), 'skipped')
  })

  it('looks at the age of the newest backup', async () => {
    const backups = freshPath()
    assert.equal(await levelOf('backups', {}, { backups, machine: machine({}) }), 'error')
    await mkdir(backups, { recursive: true })
    const file = path.join(backups, 'vox.tar')
    writeFileSync(file, '')
    assert.equal(await levelOf('backups', {}, { backups, machine: machine({}) }), 'ok')
    const threeDaysAgo = Date.now() / 1000 - 3 * 86_400
    utimesSync(file, threeDaysAgo, threeDaysAgo)
    assert.equal(await levelOf('backups', {}, { backups, machine: machine({}) }), 'warning')
  })

  it('compares passkeys with the public URL', async () => {
    const url = { VOX_SERVER_GATEWAY_URL: 'wss://127.0.0.1:1/gateway' }
    const id = { VOX_WEBAUTHN_RP_ID: 'chat.example.org' }
    const origin = (value: string) => ({ VOX_WEBAUTHN_ORIGIN: value })
    assert.equal(await levelOf('passkeys', id), 'error')
    assert.equal(await levelOf('passkeys', { ...id, ...origin('https://example.com') }), 'error')
    assert.equal(await levelOf('passkeys', { ...id, ...origin('http://chat.example.org') }), 'error')
    assert.equal(await levelOf('passkeys', { ...url, ...id, ...origin('https://chat.example.org') }), 'warning')
    assert.equal(await levelOf('passkeys', { ...id, ...origin('https://www.chat.example.org') }), 'ok')
  })

  it('looks for the key of federation in the DNS', async () => {
    const env = { VOX_FEDERATION_DOMAIN: 'chat.example.org' }
    const dns = (...records: string[]) => ({ machine: machine({ dns: records }) })
    assert.equal(await levelOf('federation', env), 'error')
    assert.equal(await levelOf('federation', env, dns('v=vox1; k=ed25519; p=abc; sig=2')), 'ok')
    const elsewhere = { ...env, VOX_SERVER_GATEWAY_URL: 'wss://127.0.0.1:1/gateway' }
    assert.equal(await levelOf('federation', elsewhere, dns('v=vox1; k=ed25519; p=abc; sig=2')), 'warning')
  })

  it('asks the machine about clock, log and voice', async () => {
    const clock = (timedatectl: string) => ({ machine: machine({ programs: { timedatectl } }) })
    assert.equal(await levelOf('clock', {}, clock('yes')), 'ok')
    assert.equal(await levelOf('clock', {}, clock('no')), 'warning')
    assert.equal(await levelOf('log format', { VOX_LOG_FORMAT: 'json' }), 'ok')
    assert.equal(await levelOf('log format', { VOX_LOG_FORMAT: 'text' }), 'warning')
    assert.equal(await levelOf('voice', { VOX_MEDIA_URL: 'quic://chat.example.org:4443' }), 'ok')
    const files = (count: number) => ({
      machine: machine({ files: { '/proc/self/limits': `Max open files            ${count}   ${count}   files\n` } }),
    })
    assert.equal(await levelOf('open files', {}, files(100)), 'error')
    assert.equal(await levelOf('open files', {}, files(1_000_000)), 'ok')
  })
})

describe('the doctor, beside a running server', () => {
  it('asks the server itself', async () => {
    const env = withoutDatabase()
    await using _ = await startTestServer(sqlite, { env })
    const own = { VOX_HOST: '127.0.0.1', VOX_RATELIMIT_ENABLED: 'false', VOX_LIMIT_CONNECTIONS_PER_IP: '0', ...env }
    const found = await findings(own)
    for (const check of ['server', 'environment', 'processes', 'database', 'migrations', 'file storage'])
      assert.equal(found.get(check)?.[0], 'ok', `${check}: ${found.get(check)?.[1]}`)
    const [level, text] = (await findings({ ...own, VOX_SERVER_NAME: 'Elsewhere' })).get('environment') ?? []
    assert.deepEqual([level, /VOX_SERVER_NAME/.test(text ?? '')], ['error', true])
  })

  it('says who starts it again', async () => {
    const env = withoutDatabase()
    await using _ = await startTestServer(sqlite, { env })
    const cgroup = `/proc/${process.pid}/cgroup`
    const restart = async (files: Record<string, string>, programs = {}) =>
      (await findings(env, { machine: machine({ files, programs }) })).get('restart')?.[0]
    const unit = { [cgroup]: '0::/system.slice/vox.service\n' }
    assert.equal(await restart(unit, { systemctl: 'on-failure' }), 'ok')
    assert.equal(await restart(unit, { systemctl: 'no' }), 'warning')
    assert.equal(await restart({ [cgroup]: '0::/user.slice\n' }), 'warning')
    assert.equal(await restart({ [cgroup]: '0::/\n', '/.dockerenv': '' }), 'ok')
  })
})

describe('vox doctor', () => {
  it('prints each finding with its cure, and ends with 1 when there are errors', async () => {
    const { status, out, err } = await vox('doctor', withoutDatabase())
    assert.equal(status, 1)
    assert.match(out, /error\s+gateway URL\s+Clients are told/)
    assert.match(out, /→ Set VOX_SERVER_GATEWAY_URL/)
    assert.match(err, /The doctor found \d+ errors?\./)
  })

  it('prints JSON for programs', async () => {
    const { status, out } = await vox('doctor --json', withoutDatabase())
    assert.equal(status, 1)
    const { findings: found, error } = JSON.parse(out)
    assert.equal(found.length, CHECKS.length)
    assert.equal(found.filter(({ level }: { level: string }) => level === 'error').length, error)
  })
})
