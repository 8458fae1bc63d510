import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { describe, it } from 'node:test'
import {
  CloseCode,
  type CommandErrorCode,
  DEFAULT_LIMITS,
  eventReference,
  feedUpdate,
  GATEWAY_COMMANDS,
  GATEWAY_EVENTS,
  hintsOf,
  type LimitName,
  messageDelete,
  ready,
} from '@vox/protocol'

/** Spec 06, section 13, and what other chapters add: each type with its categories of section 14. */
const CATALOGUE: Record<string, string> = {
  ready: '',
  message_create: '',
  message_update: '',
  message_delete: '',
  message_bulk_delete: '',
  message_reaction_add: '',
  message_reaction_remove: '',
  message_pin_update: '',
  member_join: 'members',
  member_leave: 'members',
  member_update: 'members',
  member_ban: 'members bans',
  member_unban: 'members bans',
  user_update: 'users',
  feed_create: 'feeds',
  feed_update: 'feeds',
  feed_delete: 'feeds',
  room_create: 'rooms',
  room_update: 'rooms',
  room_delete: 'rooms',
  category_create: 'categories',
  category_update: 'categories',
  category_delete: 'categories',
  thread_create: 'threads',
  thread_update: 'threads',
  thread_delete: 'threads',
  feed_subscribe: '',
  feed_unsubscribe: '',
  thread_subscribe: '',
  thread_unsubscribe: '',
  role_create: 'roles',
  role_update: 'roles',
  role_delete: 'roles',
  role_assign: 'roles',
  role_revoke: 'roles',
  permission_override_update: 'permissions',
  permission_override_delete: 'permissions',
  emoji_create: 'emoji',
  emoji_update: 'emoji',
  emoji_delete: 'emoji',
  sticker_create: 'emoji',
  sticker_update: 'emoji',
  sticker_delete: 'emoji',
  server_update: 'server',
  invite_create: 'invites',
  invite_delete: 'invites',
  dm_create: '',
  dm_update: '',
  dm_recipient_add: '',
  dm_recipient_remove: '',
  dm_read_notify: '',
  federation_delivery: '',
  friend_request: '',
  friend_add: '',
  friend_reject: '',
  friend_remove: '',
  block_add: '',
  block_remove: '',
  mls_welcome: '',
  mls_commit: '',
  mls_proposal: '',
  device_list_update: '',
  device_pair_prompt: '',
  cpace_isi: '',
  cpace_rsi: '',
  cpace_confirm: '',
  cpace_new_device_key: '',
  key_reset_notify: '',
  presence_update: '',
  typing_start: '',
  voice_state_update: '',
  voice_codec_neg: '',
  stage_request: '',
  stage_invite: '',
  stage_invite_decline: '',
  stage_revoke: '',
  stage_topic_update: '',
  stage_response: '',
  media_token_refresh: '',
  webhook_create: 'webhooks',
  webhook_update: 'webhooks',
  webhook_delete: 'webhooks',
  bot_commands_update: 'bots',
  bot_commands_delete: 'bots',
  interaction_create: '',
  notification_create: '',
}

const COMMAND_ERRORS: readonly CommandErrorCode[] = [
  'INVALID_STATUS',
  'PAYLOAD_TOO_LARGE',
  'MISSING_ROOM_ID',
  'MISSING_PERMISSIONS',
  'VALIDATION_ERROR',
]

describe('the catalogue of events', () => {
  it('is that of the protocol, each event with the categories under which sync finds it', () => {
    const declared = GATEWAY_EVENTS.map(({ type, sync }) => [type, sync.join(' ')])
    assert.equal(new Set(GATEWAY_EVENTS.map(({ type }) => type)).size, declared.length)
    assert.deepEqual(Object.fromEntries(declared), CATALOGUE)
  })

  it('knows what belongs to one place, and that an update says something', () => {
    const inOnePlace = hintsOf(messageDelete.data).check as (data: object) => string | undefined
    assert.equal(inOnePlace({ msg_id: 1n, feed_id: 2 }), undefined)
    assert.equal(inOnePlace({ msg_id: 1n, feed_id: null, dm_id: 2 }), undefined)
    assert.match(inOnePlace({ msg_id: 1n }) ?? '', /exactly one/)
    assert.match(inOnePlace({ msg_id: 1n, feed_id: 2, dm_id: 2 }) ?? '', /exactly one/)
    const change = hintsOf(feedUpdate.data).check as (data: object) => string | undefined
    assert.equal(change({ feed_id: 1, topic: null }), undefined)
    assert.match(change({ feed_id: 1 }) ?? '', /at least one change/)
    assert.equal(hintsOf(ready.data).check, undefined)
  })
})

describe('the pages for client authors', () => {
  const page = (name: string) => readFileSync(new URL(`../../../docs/${name}`, import.meta.url), 'utf8')

  it('list every event as it is declared', () => {
    assert.ok(page('gateway-events.md') === eventReference(), 'stale: run "npm run generate"')
  })

  it('explain every close code, limit, command and error of the gateway', () => {
    const text = page('gateway.md')
    for (const [reason, code] of Object.entries(CloseCode))
      assert.ok(text.includes(`| ${code} | \`${reason}\` |`), reason)
    for (const [, name, value] of text.matchAll(/^\| `(\w+)` \| (\d+) \|/gm))
      assert.equal(Number(value), DEFAULT_LIMITS[name as LimitName], name)
    for (const name of Object.keys(DEFAULT_LIMITS))
      if (/gateway|presence_[ca]|connections|sessions_per|replay|resume/.test(name))
        assert.ok(text.includes(`| \`${name}\` | `), name)
    for (const { type, aliases } of GATEWAY_COMMANDS)
      for (const name of [type, ...aliases]) assert.match(text, new RegExp(`["\`]${name}["\`]`))
    for (const code of COMMAND_ERRORS) assert.ok(text.includes(`| \`${code}\` |`), code)
  })
})
