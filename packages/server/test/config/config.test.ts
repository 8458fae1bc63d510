import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { DEFAULT_LIMITS, RATE_LIMITS } from '@vox/protocol'
import { Config, ConfigError, gatewayUrl, InvalidSetting, storedSetting } from '../../src/config/config.ts'
import { type Env, invalid } from '../../src/config/environment.ts'
import { choice } from '../../src/config/kinds.ts'
import { ALL_SETTINGS, SETTINGS, type StoredName } from '../../src/config/settings.ts'
import { keepingLog } from '../support/log.ts'

/** A config of these variables and rows, with what it logged. */
function configOf(env: Env = {}, rows: Record<string, string> = {}) {
  const { log, records } = keepingLog()
  const config = new Config(env, log)
  config.load(Object.entries(rows).map(([key, value]) => ({ key, value })))
  return { config, warnings: records.map(({ message }) => String(message)) }
}

/** What is wrong with these variables, as the operator reads it. */
function problemsOf(env: Env, rows: Record<string, string> = {}): readonly string[] {
  try {
    configOf(env, rows)
  } catch (error) {
    assert.ok(error instanceof ConfigError)
    assert.equal(error.message, error.problems.join('\n'))
    return error.problems
  }
  return []
}

const changes = (entries: { [N in StoredName]?: string | null }) => new Map(Object.entries(entries)) as never

describe('a setting', () => {
  it('has its default while nothing is set', () => {
    const { config, warnings } = configOf()
    assert.equal(config.get('server.name'), 'Vox Server')
    assert.equal(config.get('server.icon'), null)
    assert.equal(config.get('network.port'), 8000)
    assert.equal(config.get('auth.registration'), 'open')
    assert.deepEqual(config.get('media.bind'), { host: '0.0.0.0', port: 4443 })
    assert.deepEqual(config.get('media.allowed_file_mimes'), ['*/*'])
    assert.deepEqual(config.limits, DEFAULT_LIMITS)
    assert.deepEqual(config.rateLimits, RATE_LIMITS)
    assert.deepEqual(warnings, [])
  })

  it('comes from the environment before the database and from the database before the default', () => {
    const { config } = configOf(
      { VOX_LIMIT_TOPIC_MAX: '7' },
      { limit_topic_max: '8', limit_bio_max: '9', server_name: 'Rows' },
    )
    assert.deepEqual([config.limits.topic_max, config.source('limits.topic_max')], [7, 'environment'])
    assert.deepEqual([config.limits.bio_max, config.source('limits.bio_max')], [9, 'database'])
    assert.deepEqual([config.limits.avatar_max, config.source('limits.avatar_max')], [512, 'default'])
    assert.equal(config.get('server.name'), 'Rows')
  })

  it('has a variable, a database key and a default that nothing else has or that does not parse', () => {
    for (const [name, { default: text, kind }] of ALL_SETTINGS)
      assert.ok(text === null || kind.parse(text) !== undefined, name)
    for (const property of ['env', 'key'] as const) {
      const names = ALL_SETTINGS.flatMap(([, setting]) => setting[property] ?? [])
      assert.equal(new Set(names).size, names.length)
    }
  })
})

describe('the environment', () => {
  it('matches names without regard to case, and prefers the upper-case one', () => {
    assert.equal(configOf({ vox_server_name: 'a' }).config.get('server.name'), 'a')
    assert.equal(configOf({ Vox_Server_Name: 'a', VOX_SERVER_NAME: 'b' }).config.get('server.name'), 'b')
  })

  it('counts an empty variable as the empty text, for numbers and booleans as unset', () => {
    const { config } = configOf(
      {
        VOX_SERVER_ICON: '',
        VOX_LIMIT_TOPIC_MAX: '',
        VOX_FEDERATION_REQUIRE_SIG2: ' ',
        VOX_MEDIA_ALLOWED_FILE_MIMES: '',
      },
      { server_icon: 'icon.png', limit_topic_max: '8', federation_require_sig2: 'true', allowed_file_mimes: 'a/b' },
    )
    assert.equal(config.get('server.icon'), '')
    assert.equal(config.limits.topic_max, 8)
    assert.equal(config.get('federation.require_sig2'), true)
    assert.deepEqual(config.get('media.allowed_file_mimes'), [])
  })

  it('switches an optional setting off with an empty variable', () => {
    const { config } = configOf({ VOX_FEDERATION_DOMAIN: '' }, { federation_domain: 'vox.example' })
    assert.equal(config.get('federation.domain'), null)
    assert.equal(config.source('federation.domain'), 'environment')
  })

  it('sets the rate limits', () => {
    const { config } = configOf({ VOX_RATELIMIT_AUTH: '20:1', VOX_RATELIMIT_ENABLED: 'false' })
    assert.deepEqual(config.rateLimits.auth, { burst: 20, refill: 1 })
    assert.deepEqual(config.rateLimits.files, RATE_LIMITS.files)
    assert.equal(config.get('ratelimit.enabled'), false)
  })

  it('stops the start for a bad value, naming the variable, the value and what would be valid', () => {
    assert.deepEqual(problemsOf({ VOX_PORT: '99999' }), [
      'VOX_PORT is "99999". It must be a whole number from 0 to 65535.',
    ])
  })

  for (const [variable, value] of Object.entries({
    VOX_SERVER_GATEWAY_URL: 'chat.example.org',
    VOX_WORKER_ID: '1024',
    VOX_HOST: '',
    VOX_TRUSTED_PROXIES: 'localhost',
    VOX_CORS_ORIGINS: '*',
    VOX_OUTBOUND_ALLOW: 'http://a',
    VOX_DATABASE_URL: 'mysql://host/name',
    VOX_DB_POOL_SIZE: '0',
    VOX_STORAGE_BACKEND: 'azure',
    VOX_STORAGE_PATH: '',
    VOX_S3_ENDPOINT: 's3.example.org',
    VOX_AUTH_SESSION_TTL_DAYS: '0',
    VOX_AUTH_REGISTRATION: 'maybe',
    VOX_MEDIA_URL: 'quic://chat.example.org',
    VOX_MEDIA_BIND: '4443',
    VOX_MEDIA_ALLOWED_EMOJI_MIMES: 'png',
    VOX_MEDIA_TOKEN_TTL: '119',
    VOX_MEDIA_WEBTRANSPORT: 'perhaps',
    VOX_GIFS_CONTENT_FILTER: 'strict',
    VOX_FEDERATION_STATIC_PEERS: '[]',
    VOX_LIMIT_MESSAGE_BODY_MAX: '0',
    VOX_LIMIT_PAGE_LIMIT_MEMBERS: '1001',
    VOX_LIMIT_BIO_MAX: '2147483648',
    VOX_RATELIMIT_AUTH: '20',
  }))
    it(`stops the start for ${variable}=${value}`, () => {
      const [problem = '', ...others] = problemsOf({ [variable]: value })
      assert.ok(problem.startsWith(`${variable} is ${JSON.stringify(value)}. It must be `), problem)
      assert.deepEqual(others, [])
    })

  it('has all its problems reported at once', () => {
    const problems = problemsOf({
      VOX_PORT: 'x',
      VOX_STORAGE_BACKEND: 'y',
      VOX_LIMIT_USERNAME_MIN: '9',
      VOX_LIMIT_USERNAME_MAX: '8',
    })
    assert.deepEqual(
      problems.map((problem) => problem.split(' ')[0]),
      ['VOX_PORT', 'VOX_STORAGE_BACKEND', 'VOX_LIMIT_USERNAME_MIN'],
    )
  })

  it('never has a secret shown', () => {
    const secret = { ...SETTINGS['gifs.api_key'], kind: choice('a', 'b') }
    assert.equal(
      invalid('VOX_GIFS_API_KEY', 'hunter2', secret),
      'VOX_GIFS_API_KEY has a value that is not valid. It must be a or b.',
    )
  })

  it('never has a password shown', () => {
    const [problem = ''] = problemsOf({ VOX_DATABASE_URL: 'mysql://vox:hunter2@host/name' })
    assert.ok(problem.includes('mysql://vox:***@host/name') && !problem.includes('hunter2'), problem)
  })

  it('warns of unknown variables, and explains two that documents promise', () => {
    const { warnings } = configOf({ VOX_SERVER_NAM: 'x', VOX_LIMIT_PAGE_SIZE_MAX: '5', PATH: '/bin', VOX_PORT: '1' })
    assert.equal(warnings.length, 2)
    assert.equal(warnings[0], 'VOX_SERVER_NAM is not a variable of this server and has no effect.')
    assert.match(warnings[1] ?? '', /^VOX_LIMIT_PAGE_SIZE_MAX is not .* VOX_LIMIT_PAGE_LIMIT_MESSAGES/)
  })

  it('closes federation on an unknown policy and switches it off on a bad domain, with a warning each', () => {
    const { config, warnings } = configOf({ VOX_FEDERATION_POLICY: 'friends', VOX_FEDERATION_DOMAIN: '192.0.2.1' })
    assert.equal(config.get('federation.policy'), 'closed')
    assert.equal(config.get('federation.domain'), null)
    assert.match(
      warnings.join('\n'),
      /VOX_FEDERATION_DOMAIN is "192.0.2.1".* It counts as unset\.\n.*POLICY.* as closed\./,
    )
  })
})

describe('database rows', () => {
  it('that are not valid are ignored with a warning', () => {
    const { config, warnings } = configOf({}, { limit_topic_max: 'many', auth_registration: 'maybe', server_name: 'A' })
    assert.equal(config.limits.topic_max, 256)
    assert.equal(config.get('auth.registration'), 'open')
    assert.equal(config.get('server.name'), 'A')
    assert.equal(warnings.length, 2)
    assert.match(warnings[0] ?? '', /limit_topic_max .*"many".* It is ignored\.$/)
  })

  it('with an unknown federation policy close federation', () => {
    const { config, warnings } = configOf({}, { federation_policy: 'friends' })
    assert.equal(config.get('federation.policy'), 'closed')
    assert.match(warnings.join('\n'), /federation_policy .*"friends".* It counts as closed\.$/)
  })

  it('that are no setting of this version, or of the environment only, are left alone', () => {
    const { config, warnings } = configOf({}, { from_the_future: '1', port: '1', VOX_PORT: '2' })
    assert.equal(config.get('network.port'), 8000)
    assert.deepEqual(warnings, [])
  })

  it('that contradict each other are ignored with a warning', () => {
    const { config, warnings } = configOf(
      {},
      { limit_username_min: '20', limit_username_max: '10', limit_bio_max: '1' },
    )
    assert.deepEqual([config.limits.username_min, config.limits.username_max, config.limits.bio_max], [1, 32, 1])
    assert.deepEqual(warnings, ['limits.username_min is 20. It must not be above limits.username_max, which is 10.'])
  })

  it('that contradict the environment are ignored with a warning', () => {
    const { config, warnings } = configOf({ VOX_LIMIT_USERNAME_MAX: '10' }, { limit_username_min: '20' })
    assert.deepEqual([config.limits.username_min, config.limits.username_max], [1, 10])
    assert.equal(warnings.length, 1)
  })
})

describe('a smallest length in the environment', () => {
  it('must not be above the default of the largest', () => {
    assert.deepEqual(problemsOf({ VOX_LIMIT_USERNAME_MIN: '40' }), [
      'VOX_LIMIT_USERNAME_MIN is 40. It must not be above limits.username_max, which is 32.',
    ])
  })
  it('may be above that default if a row raises it', () => {
    assert.deepEqual(problemsOf({ VOX_LIMIT_USERNAME_MIN: '40' }, { limit_username_max: '50' }), [])
  })
  it('stops the start if the row does not raise it enough', () => {
    assert.equal(problemsOf({ VOX_LIMIT_USERNAME_MIN: '40' }, { limit_username_max: '39' }).length, 1)
  })
})

describe('a change while the server runs', () => {
  it('takes effect at once and is told to listeners', () => {
    const { config } = configOf()
    const told: string[][] = []
    config.onChange((changed) => told.push([...changed]))
    const before = config.limits
    assert.deepEqual(
      [...config.update(changes({ 'limits.bio_max': '9', 'server.name': 'New' }))],
      ['server.name', 'limits.bio_max'],
    )
    assert.equal(config.limits.bio_max, 9)
    assert.equal(before.bio_max, 256)
    assert.equal(config.get('server.name'), 'New')
    assert.deepEqual(told, [['server.name', 'limits.bio_max']])
  })

  it('of a setting that the environment fixes has no effect', () => {
    const { config } = configOf({ VOX_SERVER_NAME: 'Fixed' })
    assert.deepEqual([...config.update(changes({ 'server.name': 'New' }))], [])
    assert.equal(config.get('server.name'), 'Fixed')
  })

  it('to the same value changes nothing', () => {
    const { config } = configOf({}, { limit_bio_max: '9' })
    assert.deepEqual([...config.update(changes({ 'limits.bio_max': '09', 'gifs.locale': '' }))], [])
  })

  it('can take a row away', () => {
    const { config } = configOf({}, { server_name: 'Row' })
    assert.deepEqual([...config.update(changes({ 'server.name': null }))], ['server.name'])
    assert.equal(config.get('server.name'), 'Vox Server')
    assert.equal(config.source('server.name'), 'default')
  })

  it('can be looked at before it is made', () => {
    const { config } = configOf()
    assert.deepEqual([...config.check(changes({ 'server.name': 'New' }))], ['server.name'])
    assert.equal(config.get('server.name'), 'Vox Server')
  })

  for (const [what, refused, message] of [
    ['a value below the smallest', { 'limits.message_body_max': '0' }, /limits\.message_body_max is "0"\. It must be/],
    ['a value above the largest', { 'limits.page_limit_members': '1001' }, /from 1 to 1000/],
    ['text that is no value', { 'auth.registration': 'x' }, /open, invite or closed/],
    ['an unknown federation policy', { 'federation.policy': 'friends' }, /open, allowlist or closed/],
    ['a minimum above its maximum', { 'limits.username_min': '33' }, /username_min is 33\. It must not be above/],
    [
      'a pair that contradicts itself',
      { 'limits.role_name_min': '9', 'limits.role_name_max': '8' },
      /role_name_min is 9/,
    ],
  ] as const)
    it(`is refused as a whole for ${what}`, () => {
      const { config } = configOf()
      config.onChange(() => assert.fail('told of a refused change'))
      const refusedChange = () => config.update(changes({ 'server.name': 'New', ...refused }))
      assert.throws(refusedChange, (error) => error instanceof InvalidSetting && message.test(error.message))
      assert.equal(config.get('server.name'), 'Vox Server')
      assert.deepEqual(config.limits, DEFAULT_LIMITS)
    })

  it('may move both limits of a pair beyond the old ones', () => {
    const { config } = configOf()
    config.update(changes({ 'limits.username_min': '40', 'limits.username_max': '50' }))
    assert.deepEqual([config.limits.username_min, config.limits.username_max], [40, 50])
  })

  it('is refused if taking a row away leaves a contradiction with the environment', () => {
    const { config } = configOf({ VOX_LIMIT_USERNAME_MIN: '40' }, { limit_username_max: '50' })
    assert.throws(() => config.update(changes({ 'limits.username_max': null })), InvalidSetting)
  })
})

describe('the limits', () => {
  it('cannot be written to by who reads them', () => {
    const { config } = configOf()
    assert.throws(() => Object.assign(config.limits, { bio_max: 1 }), TypeError)
  })
})

describe('the listing for administrators', () => {
  const secrets = { VOX_FEDERATION_PRIVATE_KEY: 'hunter2', VOX_GIFS_API_KEY: 'hunter2' }
  const { config } = configOf(
    { ...secrets, VOX_SERVER_NAME: 'Fixed', VOX_MEDIA_ALLOWED_FILE_MIMES: 'IMAGE/*, a/b' },
    { limit_bio_max: '9' },
  )
  const listing = config.listing()

  it('shows effective values, lists as they are written', () => {
    assert.equal(listing.config['server.name'], 'Fixed')
    assert.equal(listing.config['server.icon'], null)
    assert.equal(listing.config['limits.bio_max'], 9)
    assert.equal(listing.config['federation.require_sig2'], false)
    assert.equal(listing.config['media.allowed_file_mimes'], 'IMAGE/*, a/b')
  })
  it('shows neither secrets nor what only the environment sets', () => {
    assert.ok(!JSON.stringify(listing).includes('hunter2'))
    for (const name of ['federation.private_key', 'gifs.api_key', 'database.url', 'network.port'])
      assert.ok(!(name in listing.config), name)
  })
  it('names what the environment fixes', () => {
    assert.deepEqual(listing.from_environment, [
      'server.name',
      'media.allowed_file_mimes',
      'gifs.api_key',
      'federation.private_key',
    ])
  })
})

describe('the name of a setting in the database', () => {
  it('is its dotted name or its key', () => {
    assert.equal(storedSetting('server.gateway_url'), 'server.gateway_url')
    assert.equal(storedSetting('gateway_url'), 'server.gateway_url')
    assert.equal(storedSetting('limit_bio_max'), 'limits.bio_max')
  })
  it('is nothing for other names, and for settings of the environment only', () => {
    for (const name of ['', 'toString', '__proto__', 'bio_max', 'network.port', 'VOX_PORT', 'ratelimit.auth'])
      assert.equal(storedSetting(name), undefined, name)
    assert.ok('network.port' in SETTINGS)
  })
})

describe('the URL of the gateway', () => {
  it('is the one that is set, else that of the port in use', () => {
    assert.equal(gatewayUrl(configOf().config, 1234), 'ws://localhost:1234/gateway')
    const { config } = configOf({ VOX_SERVER_GATEWAY_URL: 'wss://chat.example.org/gateway' })
    assert.equal(gatewayUrl(config, 1234), 'wss://chat.example.org/gateway')
  })
})
