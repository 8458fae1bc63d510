import assert from 'node:assert/strict'
import { it } from 'node:test'
import { openCore } from '../../../src/core.ts'
import { loginBot } from '../../../src/features/auth/token-login.ts'
import { TestClock } from '../../support/clock.ts'
import { type Engine, forEachEngine } from '../../support/engines.ts'
import { keepingLog } from '../../support/log.ts'

/** The state of a server with a bot and a person, and a session of each. */
async function withBot(engine: Engine, opened: AsyncDisposableStack) {
  const env = { VOX_DATABASE_URL: await engine.freshUrl() }
  const core = await openCore({ env, log: keepingLog().log, clock: new TestClock() }, opened)
  const { work, sessions, community } = core
  const account = (username: string) =>
    work.run(async (job) => {
      const user = { username, username_key: username, created_at: 0 }
      const { user_id } = await job.db.insertInto('users').values(user).returning('user_id').executeTakeFirstOrThrow()
      return { user_id, token: await sessions.create(job, user_id) }
    })
  const bot = await account('bot')
  community.accounts.bots.add(bot.user_id)
  community.setMember(bot.user_id, [])
  return { core, bot, person: await account('ada') }
}

forEachEngine('the token of a bot', (engine) => {
  it('is answered with the account and itself, as often as it comes', async () => {
    await using opened = new AsyncDisposableStack()
    const { core, bot } = await withBot(engine, opened)
    for (let i = 0; i < 2; i++)
      assert.deepEqual(await loginBot(core, bot.token, { address: undefined }), {
        token: bot.token,
        user_id: bot.user_id,
        display_name: null,
        roles: [],
      })
  })

  it('is refused if it is unknown, of a person, or of a bot that is banned', async () => {
    await using opened = new AsyncDisposableStack()
    const { core, bot, person } = await withBot(engine, opened)
    const refused = (token: string) =>
      assert.rejects(loginBot(core, token, { address: undefined }), { code: 'AUTH_FAILED' })
    await refused('vox_sess_unknown')
    await refused(person.token)
    core.community.deleteMember(bot.user_id)
    core.community.accounts.banned.add(bot.user_id)
    await refused(bot.token)
  })
})
