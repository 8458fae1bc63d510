import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { COMMANDS } from '../../src/cli/commands.ts'
import { VERSION } from '../../src/version.ts'
import { vox } from '../support/vox.ts'

describe('the help', () => {
  it('lists commands and the flags of the default one', async () => {
    for (const args of ['--help', '-h', 'help', '--port 1 --help']) {
      const { status, out, err } = await vox(args)
      assert.equal(status, 0)
      assert.equal(err, '')
      for (const word of ['serve', 'migrate', '--host', '--port', '--database-url', '--reload', 'VOX_PORT', '8000'])
        assert.ok(out.includes(word), word)
    }
  })

  it('explains one command', async () => {
    for (const args of ['help migrate', 'migrate --help', 'migrate -h']) {
      const { status, out } = await vox(args)
      assert.equal(status, 0)
      assert.match(out, /Usage: vox migrate \[FLAGS\]\n/)
      assert.match(out, /--dry-run +Only say what would be done\.\n/)
      assert.ok(!out.includes('--port'))
    }
  })

  it('explains every command with examples that begin with its name, or pipe into it', async () => {
    for (const { name, examples } of COMMANDS) {
      const { status, out } = await vox(`help ${name}`)
      assert.equal(status, 0)
      assert.match(out, /Examples:\n {2}\S/)
      for (const [call] of examples) assert.ok(call.includes(name === 'serve' ? 'vox' : `vox ${name}`), call)
    }
  })

  it('lists the commands that share a first word', async () => {
    for (const args of ['help admin', 'admin --help', 'admin -h']) {
      const { status, out } = await vox(args)
      assert.equal(status, 0)
      for (const word of [
        'admin create USERNAME',
        'admin promote',
        'admin reset-password',
        'admin reset-2fa',
        'admin list',
      ])
        assert.ok(out.includes(word), word)
      assert.ok(!out.includes('serve'))
    }
  })

  it('says what the exit status means', async () => {
    for (const args of ['--help', 'help migrate'])
      assert.match((await vox(args)).out, /Exit status: 0 done, 1 failed, 2 wrong usage\.\n/)
  })

  it('fits into a terminal', async () => {
    for (const args of ['', ...COMMANDS.map(({ name }) => name)])
      for (const line of (await vox(`help ${args}`)).out.split('\n')) assert.ok(line.length <= 110, line)
  })
})

describe('vox --version', () => {
  it('prints the version', async () => {
    assert.deepEqual(await vox('--version'), { status: 0, out: `vox ${VERSION}\n`, err: '' })
    assert.deepEqual(await vox('migrate --version'), { status: 0, out: `vox ${VERSION}\n`, err: '' })
  })
})

describe('a wrong command line', () => {
  for (const [args, problem] of [
    ['--colour', /Unknown option '--colour'\. Run "vox help serve"/],
    ['-x', /Unknown option '-x'/],
    ['restart', /There is no command "restart"\. Run "vox --help"/],
    ['help restart', /There is no command "restart"/],
    ['admin', /After admin comes one of create, promote, .*\. Run "vox help admin"/],
    ['admin demote bob', /After admin comes one of/],
    ['help admin demote', /After admin comes one of/],
    ['admin promote', /USERNAME is missing\. Run "vox help admin promote"/],
    ['admin promote bob cid', /Unexpected argument 'cid'\. Run "vox help admin promote"/],
    ['config set a b c', /Unexpected argument 'c'/],
    ['config set', /NAME is missing/],
    ['serve now', /Unexpected argument 'now'\. Run "vox help serve"/],
    ['migrate --port 1', /Unknown option '--port'\. Run "vox help migrate"/],
    ['--port', /'--port <value>' argument missing/],
    ['--port=', /--port is ""\. It must be a whole number from 0 to 65535\./],
    ['--port 65536', /--port is "65536"\. It must be/],
    ['--host http://localhost', /--host is "http:\/\/localhost"\. It must be an address/],
    ['--database-url mysql://u:hunter2@h/n', /--database-url is "mysql:\/\/u:\*\*\*@h\/n"\. It must be sqlite/],
    ['--reload=yes', /'--reload' does not take an argument/],
  ] as const)
    it(`${args} is refused with status 2 and a hint`, async () => {
      const { status, out, err } = await vox(args)
      assert.equal(status, 2)
      assert.equal(out, '')
      assert.match(err, /^vox: [^\n]+\n$/)
      assert.match(err, problem)
    })
})

describe('a wrong environment', () => {
  it('ends a command with status 1 and every problem on a line', async () => {
    const { status, out, err } = await vox('migrate', { VOX_PORT: 'x', VOX_STORAGE_BACKEND: 'y' })
    assert.equal(status, 1)
    assert.equal(out, '')
    assert.match(err, /^vox: VOX_PORT is "x"\. [^\n]+\nVOX_STORAGE_BACKEND is "y"\. [^\n]+\n$/)
  })
})

describe('a flag', () => {
  it('wins over the environment, however that is spelled', async () => {
    for (const name of ['VOX_DATABASE_URL', 'vox_database_url']) {
      const { status, out } = await vox('migrate --dry-run --database-url sqlite+aiosqlite://', { [name]: 'invalid' })
      assert.equal(status, 0)
      assert.match(out, /would apply/)
    }
  })
})
