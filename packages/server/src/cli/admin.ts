import type { Command } from './command.ts'
import { JSON_FLAG, SERVER_FLAGS, withOperator } from './operator.ts'
import { PASSWORD_FLAGS, readPassword } from './password.ts'
import { columns, json } from './table.ts'

const create: Command = {
  name: 'admin create',
  summary: 'Create an account that is an administrator, also while registration is closed.',
  operands: 'USERNAME',
  flags: { ...PASSWORD_FLAGS, ...SERVER_FLAGS },
  examples: [
    ['vox admin create ada', 'Ask for a password, then create ada. On a new server, before anybody else can register.'],
    ['vox admin create ada --password-stdin < password.txt', 'The same in a script.'],
  ],
  async run(invocation) {
    const [username = ''] = invocation.operands
    const password = await readPassword(invocation)
    await withOperator(invocation, (perform) => perform('admin/create', { username, password }), { mayCreate: true })
    invocation.out.write(`${username} is an administrator.\n`)
  },
}

const promote: Command = {
  name: 'admin promote',
  summary: 'Make an account an administrator, from now on and without a restart.',
  operands: 'USERNAME',
  flags: SERVER_FLAGS,
  examples: [['vox admin promote bob', 'Give bob the role Admin.']],
  async run(invocation) {
    const [username = ''] = invocation.operands
    const { changed } = await withOperator(invocation, (perform) => perform('admin/promote', { username }))
    invocation.out.write(`${username} ${changed ? 'is now' : 'was already'} an administrator.\n`)
  },
}

const resetPassword: Command = {
  name: 'admin reset-password',
  summary: 'Replace a forgotten password, and log the account out everywhere.',
  operands: 'USERNAME',
  flags: { ...PASSWORD_FLAGS, ...SERVER_FLAGS },
  examples: [
    ['vox admin reset-password bob', 'Ask for a new password of bob.'],
    ['openssl rand -base64 15 | tee /dev/tty | vox admin reset-password bob --password-stdin', 'Make one up.'],
  ],
  async run(invocation) {
    const [username = ''] = invocation.operands
    const password = await readPassword(invocation)
    await withOperator(invocation, (perform) => perform('admin/reset-password', { username, password }))
    invocation.out.write(`The password of ${username} is replaced. All sessions are ended.\n`)
  },
}

const resetSecondFactor: Command = {
  name: 'admin reset-2fa',
  summary: 'Remove the second factors of an account: TOTP, passkeys, recovery codes. Sessions and password stay.',
  operands: 'USERNAME',
  flags: SERVER_FLAGS,
  examples: [['vox admin reset-2fa bob', 'Let bob log in with the password alone.']],
  async run(invocation) {
    const [username = ''] = invocation.operands
    await withOperator(invocation, (perform) => perform('admin/reset-2fa', { username }))
    invocation.out.write(`${username} logs in with the password alone.\n`)
  },
}

const list: Command = {
  name: 'admin list',
  summary: 'List the administrators.',
  flags: { ...JSON_FLAG, ...SERVER_FLAGS },
  examples: [
    ['vox admin list', 'Print their ids and names.'],
    ['vox admin list --json', 'Print [{"user_id", "username", "bot"}, …].'],
  ],
  async run(invocation) {
    const { flags, out } = invocation
    const administrators = await withOperator(invocation, (perform) => perform('admin/list', {}))
    if (flags.json) out.write(json(administrators))
    else
      out.write(columns(administrators.map(({ user_id, username, bot }) => [`${user_id}`, username, bot ? 'bot' : ''])))
  },
}

/** What `vox admin` can do. */
export const ADMIN: readonly Command[] = [create, promote, resetPassword, resetSecondFactor, list]
