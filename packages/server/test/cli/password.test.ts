import assert from 'node:assert/strict'
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { describe, it } from 'node:test'
import { Program } from '../support/program.ts'
import { PASSWORD } from '../support/server.ts'

/** The program of util-linux that runs another one at a terminal of its own. */
const hasTerminal = spawnSync('script', ['--version']).stdout?.includes('util-linux') ?? false

const program = new Program({ VOX_DATABASE_URL: 'sqlite:///vox.db', VOX_LOG_FORMAT: 'json' })

/** Runs the program at a terminal, and answers each of its questions. */
async function atTerminal(args: string[], answers: string[]) {
  const command = Program.command(...args)
    .map((word) => `'${word}'`)
    .join(' ')
  const child = spawn('script', ['--quiet', '--return', '--command', command, '/dev/null'], {
    cwd: program.folder,
    env: program.environment(),
  })
  let shown = ''
  child.stdout.on('data', (chunk) => {
    shown += chunk
    if (/(Password|again|Value): $/.test(String(chunk))) child.stdin.write(answers.shift() ?? '')
  })
  const [status] = await once(child, 'close')
  return { status, shown: shown.replaceAll('\r', '') }
}

describe('a password at a terminal', { skip: !hasTerminal && 'needs script of util-linux' }, () => {
  it('is asked for twice and never shown', async () => {
    const { status, shown } = await atTerminal(['admin', 'create', 'ada'], [`${PASSWORD}\r`, `${PASSWORD}\r`])
    assert.equal(status, 0)
    assert.equal(shown, 'Password: \nThe same again: \nada is an administrator.\n')
    assert.equal((await program.run(['admin', 'list'])).out, '1  ada\n')
  })

  it('must be typed the same way twice', async () => {
    const { status, shown } = await atTerminal(['admin', 'create', 'bob'], [`${PASSWORD}\r`, 'another one\r'])
    assert.equal(status, 1)
    assert.match(shown, /vox: The two passwords differ\.\n$/)
  })

  it('can be given up with Ctrl-C', async () => {
    const { status, shown } = await atTerminal(['admin', 'create', 'cid'], ['half a pass\x03'])
    assert.equal(status, 1)
    assert.equal(shown, 'Password: \nvox: Cancelled.\n')
  })

  it('is not different for a secret setting', async () => {
    const { status, shown } = await atTerminal(['config', 'set', 'gifs.api_key'], ['hunter22\r'])
    assert.equal(status, 0)
    assert.equal(shown, 'Value: \ngifs.api_key is *** (database).\n')
  })
})
