import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { RATE_LIMITS, type RateCategory, rateCategory } from '../src/index.ts'

/** Paths below `/api/v1`: the worked results of spec 01, section 8.2, and one line for each rule of it. */
const WORKED: readonly (readonly [path: string, category: RateCategory])[] = [
  ['/feeds/1/messages', 'messages'],
  ['/messages/search', 'messages'],
  ['/dms/3/files', 'messages'],
  ['/gifs/search', 'search'],
  ['/feeds/1/files', 'channels'],
  ['/feeds/1/webhooks', 'channels'],
  ['/rooms/2/voice/join', 'channels'],
  ['/feeds/1/permissions/role/2', 'channels'],
  ['/voice/media-cert', 'voice'],
  ['/members/4/roles/2', 'members'],
  ['/users/4/dm-settings', 'members'],
  ['/auth/login/federation', 'auth'],
  ['/bans', 'server'],
  ['/audit-log', 'server'],
  ['/sync', 'server'],
  ['/gateway', 'server'],
  ['/embeds/resolve', 'server'],
  ['/gifs/trending', 'server'],
  ['/commands', 'server'],
  ['/interactions/abc/respond', 'server'],

  ['/categories/1', 'channels'],
  ['/threads/1', 'channels'],
  ['/threads/1/messages', 'messages'],
  ['/roles/1', 'roles'],
  ['/roles/1/members', 'roles'],
  ['/invites/abc', 'invites'],
  ['/webhooks/1', 'webhooks'],
  ['/emoji', 'emoji'],
  ['/stickers/3', 'emoji'],
  ['/moderation/2fa-reset', 'moderation'],
  ['/server/limits', 'server'],
  ['/bots/9/commands', 'bots'],
  ['/keys/devices', 'e2ee'],
  ['/dms', 'messages'],
  ['/files/abc', 'files'],
  ['/federation/blocks', 'federation'],
  ['/reports/1', 'moderation'],
  ['/admin/federation/peers', 'moderation'],
  ['/users/search', 'search'],
]

describe('rateCategory', () => {
  for (const [path, category] of WORKED)
    it(`puts ${path} into ${category}`, () => assert.equal(rateCategory('GET', `/api/v1${path}`), category))

  it('counts the execution of a webhook as messages, but not its management', () => {
    assert.equal(rateCategory('POST', '/api/v1/webhooks/7/secret'), 'messages')
    assert.equal(rateCategory('POST', '/api/v1/webhooks/7/secret/execute'), 'messages')
    assert.equal(rateCategory('GET', '/api/v1/webhooks/7/secret'), 'webhooks')
    assert.equal(rateCategory('PATCH', '/api/v1/webhooks/7'), 'webhooks')
    assert.equal(rateCategory('POST', '/api/v1/webhooks/7/secret/other'), 'webhooks')
  })

  it('knows the prefixes only below /api/v1', () => {
    assert.equal(rateCategory('GET', '/auth/login'), 'server')
    assert.equal(rateCategory('GET', '/unknown'), 'server')
    assert.equal(rateCategory('GET', '/api/v1'), 'server')
  })
})

describe('RATE_LIMITS', () => {
  it('has the documented numbers', () => {
    const numbers = Object.entries(RATE_LIMITS).map(([category, { burst, refill }]) => `${category} ${burst} ${refill}`)
    assert.deepEqual(numbers, [
      'auth 5 0.1',
      'messages 50 1',
      'channels 20 0.5',
      'roles 10 0.2',
      'members 20 0.5',
      'invites 10 0.2',
      'webhooks 10 0.2',
      'emoji 10 0.2',
      'moderation 10 0.2',
      'voice 30 1',
      'server 10 0.2',
      'bots 10 0.2',
      'e2ee 30 0.5',
      'search 10 0.1',
      'files 20 0.5',
      'federation 50 1',
    ])
  })
})
