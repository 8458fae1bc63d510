import assert from 'node:assert/strict'
import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, globSync, mkdirSync, readdirSync, utimesSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { describe, it } from 'node:test'
import { fileURLToPath } from 'node:url'
import { migrateDatabase } from '../../src/db/open.ts'
import { VERSION } from '../../src/version.ts'
import { sqlite } from '../support/engines.ts'
import { eventually } from '../support/eventually.ts'
import { freshPath } from '../support/folder.ts'
import { TestSocket } from '../support/gateway.ts'
import { spawnServer } from '../support/process.ts'
import { deployed, without } from '../support/proxies.ts'
import { Client, PASSWORD } from '../support/server.ts'

const PROGRAM = fileURLToPath(new URL('../../../..', import.meta.url))

const UNITS = globSync('*.{service,timer}', { cwd: path.join(PROGRAM, 'deploy') }).sort()

const inFolder = (folder: string, texts: Record<string, string>): string[] => {
  mkdirSync(folder)
  return Object.entries(texts).map(([name, text]) => {
    writeFileSync(path.join(folder, name), text)
    return path.join(folder, name)
  })
}

/** The units with programs and users that this machine has. */
const units = (): string[] =>
  inFolder(
    freshPath(),
    Object.fromEntries(
      UNITS.map((name) => [
        name,
        deployed(name)
          .replaceAll('/opt/vox/node_modules/.bin/node', process.execPath)
          .replaceAll('/opt/vox/', PROGRAM)
          .replaceAll(/^(User|Group)=vox$/gm, '$1=root'),
      ]),
    ),
  )

/** What a unit says of a setting, the last word if there are several. */
const setting = (unit: string, name: string): string =>
  [...deployed(unit).matchAll(new RegExp(`^${name}=(.*)$`, 'gm'))].at(-1)?.[1] ?? ''

const seconds = (span: string): number => Number(/^(\d+)$/.exec(span)?.[1])

describe('the systemd units', { skip: without('systemd-analyze') }, () => {
  it('are valid', () => {
    assert.deepEqual(UNITS, ['vox-backup.service', 'vox-backup.timer', 'vox.service'])
    assert.equal(execFileSync('systemd-analyze', ['verify', ...units()], { encoding: 'utf8', stdio: 'pipe' }), '')
  })

  for (const name of UNITS.filter((unit) => unit.endsWith('.service')))
    it(`leave little open: ${name}`, () => {
      const file = units().find((unit) => path.basename(unit) === name) ?? ''
      // The threshold is ten times the exposure level: 0 is sealed, 100 is unprotected.
      const report = execFileSync('systemd-analyze', ['security', '--offline=true', '--threshold=25', file], {
        encoding: 'utf8',
        stdio: 'pipe',
      })
      assert.match(report, new RegExp(`exposure level for ${name}: [01]\\.\\d`))
    })

  it('fire the backup once a day', () => {
    const calendar = setting('vox-backup.timer', 'OnCalendar')
    const next = execFileSync('systemd-analyze', ['calendar', '--iterations=3', calendar], { encoding: 'utf8' })
    const days = [...next.matchAll(/\d{4}-\d\d-(\d\d) 04:17:00/g)].map(([, day]) => day)
    assert.equal(new Set(days).size, 3)
  })

  it('start Vox again after a failure, and give its stop the time it takes', () => {
    assert.deepEqual([setting('vox.service', 'Restart'), setting('vox.service', 'RestartSec')], ['on-failure', '5'])
    assert.ok(seconds(setting('vox.service', 'TimeoutStopSec')) > 10)
  })
})

describe('the backup of vox-backup.service', () => {
  /** Runs the commands of the unit as systemd would, with this machine's folders. */
  async function runUnit(env: Record<string, string>, data: string, backups: string): Promise<void> {
    for (const name of ['ExecStart', 'ExecStartPost']) {
      const line = setting('vox-backup.service', name)
        .replaceAll('%%', '%')
        .replaceAll('$$', '$')
        .replaceAll('/opt/vox/node_modules/.bin/node', process.execPath)
        .replaceAll('/opt/vox/', PROGRAM)
        .replaceAll('/var/backups/vox', backups)
      execFileSync('/bin/sh', ['-c', line], { cwd: data, env: { PATH: process.env.PATH, ...env }, stdio: 'pipe' })
    }
  }

  it('keeps two weeks of them, and forgets none before there is a new one', async () => {
    const [data, backups] = [freshPath(), freshPath()]
    for (const folder of [data, backups]) mkdirSync(folder)
    const now = Date.now() / 1000
    for (const [name, days] of [
      ['recent.tar', 13],
      ['old.tar', 16],
    ] as const) {
      writeFileSync(path.join(backups, name), '')
      utimesSync(path.join(backups, name), now - days * 86_400, now - days * 86_400)
    }
    const env = { VOX_DATABASE_URL: `sqlite:///${data}/vox.db`, VOX_STORAGE_PATH: `${data}/uploads` }
    await assert.rejects(runUnit(env, data, backups), /There is no Vox database/)
    assert.deepEqual(readdirSync(backups).sort(), ['old.tar', 'recent.tar'])

    await migrateDatabase(env.VOX_DATABASE_URL)
    await runUnit(env, data, backups)
    const [made = '', ...others] = readdirSync(backups).sort()
    assert.match(made, /^\d{4}-\d\d-\d\d-\d{6}\.tar$/)
    assert.deepEqual(others, ['recent.tar'])
    const listed = execFileSync('tar', ['tf', path.join(backups, made)], { encoding: 'utf8' })
    assert.deepEqual(listed.trim().split('\n').sort(), ['database.sqlite', 'manifest.json'])
  })
})

describe('a server that systemd runs', { skip: without('systemd-socket-activate') }, () => {
  /** What systemd would be told over its socket, from the first word on. */
  function listen() {
    const socket = freshPath()
    let said = ''
    const args = ['--datagram', `--listen=${socket}`, '/bin/sh', '-c', 'exec cat <&3']
    const child = spawn('systemd-socket-activate', args, { stdio: ['ignore', 'pipe', 'ignore'] })
    child.stdout.on('data', (text) => {
      said += text
    })
    const dispose = async () => {
      const ended = once(child, 'exit')
      child.kill('SIGKILL')
      await ended
    }
    return { socket, said: () => said, [Symbol.asyncDispose]: dispose }
  }

  it('says when it is ready and when it stops; its clients come back to the next one', async () => {
    await using systemd = listen()
    await eventually(() => assert.ok(existsSync(systemd.socket)))
    const env = {
      VOX_DATABASE_URL: await sqlite.freshUrl(),
      VOX_STORAGE_PATH: freshPath(),
      NOTIFY_SOCKET: systemd.socket,
    }
    await using running = new AsyncDisposableStack()
    const start = async (port: string) => {
      const server = await spawnServer({ ...env, VOX_PORT: port })
      const ended = once(server.child, 'exit')
      running.defer(() => void server.child.kill('SIGKILL'))
      return { url: server.url, child: server.child, ended }
    }
    const first = await start('0')
    const ready = `READY=1\nSTATUS=Vox ${VERSION} at ${first.url}`
    await eventually(() => assert.ok(systemd.said().startsWith(ready), systemd.said()))
    assert.equal((await fetch(`${first.url}/ready`)).status, 200)

    const { token } = (await new Client(first.url).post('/auth/register', { username: 'ada', password: PASSWORD })).body
    const ada = new Client(first.url, token)
    await ada.post('/feeds', { name: 'general', type: 'text' })
    await ada.post('/feeds/1/messages', { body: 'before' })
    const hello = async () => {
      const socket = new TestSocket(`${first.url.replace('http', 'ws')}/gateway`, undefined)
      await socket.next('hello')
      return socket
    }
    const client = await hello()
    client.send('identify', { token })
    await client.next('ready')

    first.child.kill('SIGTERM')
    assert.deepEqual(await client.closed, [4008, 'SERVER_RESTART'])
    assert.deepEqual(await first.ended, [0, null])
    await eventually(() => assert.match(systemd.said(), /STOPPING=1/))

    await start(new URL(first.url).port)
    // Sessions of the gateway are kept in memory: the client hears that its own is gone, and begins another.
    const resuming = await hello()
    resuming.send('resume', { token, session_id: client.sessionId, last_seq: client.lastSeq })
    assert.deepEqual(await resuming.closed, [4009, 'SESSION_EXPIRED'])
    const again = await hello()
    again.send('identify', { token })
    await again.next('ready')
    assert.equal((await ada.get('/feeds/1/messages')).body.messages[0].body, 'before')
  })
})
