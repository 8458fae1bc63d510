import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { endpoint, errorStatus, Fields, Id, Text } from '../src/index.ts'

const reply = Fields({ id: Id })

describe('endpoint', () => {
  it('fills in what is not said', () => {
    const list = endpoint({ method: 'GET', path: '/things', summary: 'List', auth: 'session', reply: { 200: reply } })
    assert.equal(list.status, 200)
    assert.equal(list.reply, reply)
    assert.equal(list.body, undefined)
    assert.equal(list.requires, undefined)
    assert.equal(list.emptyBody, false)
    assert.equal(list.noStore, false)
    assert.deepEqual(list.errors, [])
    assert.deepEqual(Object.keys(list.params.properties), [])
    assert.deepEqual(Object.keys(list.query.properties), [])
  })

  it('keeps what is said', () => {
    const params = Fields({ thing_id: Id })
    const body = Fields({ name: Text() })
    const rename = endpoint({
      method: 'PATCH',
      path: '/things/:thing_id',
      summary: 'Rename',
      auth: 'session',
      requires: { permission: 'MANAGE_SPACES' },
      params,
      body,
      emptyBody: true,
      noStore: true,
      reply: { 204: null },
      errors: ['SPACE_NOT_FOUND', ['AUTH_FAILED', 409]],
    })
    assert.equal(rename.status, 204)
    assert.equal(rename.reply, null)
    assert.equal(rename.params, params)
    assert.equal(rename.body, body)
    assert.equal(rename.emptyBody, true)
    assert.equal(rename.noStore, true)
    assert.deepEqual(rename.requires, { permission: 'MANAGE_SPACES' })
    assert.deepEqual(rename.errors, ['SPACE_NOT_FOUND', ['AUTH_FAILED', 409]])
  })

  const declare = (replies: Record<number, typeof reply>) =>
    endpoint({ method: 'GET', path: '/things', summary: 'List', auth: 'none', reply: replies })

  it('has exactly one success status', () => {
    assert.throws(() => declare({}), /\/things needs exactly one success status/)
    assert.throws(() => declare({ 200: reply, 201: reply }), /exactly one success status/)
  })

  it('cannot declare a status that a code never has', () => {
    assert.throws(
      () =>
        endpoint({
          method: 'GET',
          path: '/things',
          summary: 'List',
          auth: 'none',
          reply: { 200: reply },
          errors: [['SPACE_NOT_FOUND', 403]],
        }),
      /SPACE_NOT_FOUND is never answered with status 403/,
    )
  })
})

describe('errorStatus', () => {
  it('is the usual status of a bare code, or the one that is declared', () => {
    assert.deepEqual(errorStatus('INVITE_INVALID'), { code: 'INVITE_INVALID', status: 404 })
    assert.deepEqual(errorStatus(['INVITE_INVALID', 422]), { code: 'INVITE_INVALID', status: 422 })
    assert.deepEqual(errorStatus(['INVITE_INVALID', 404]), { code: 'INVITE_INVALID', status: 404 })
  })
})
