import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { ENDPOINTS } from '@vox/protocol/endpoints'
import { docsPage, testExamples } from '../../support/examples.ts'

describe('docs/authentication.md', () => {
  const page = docsPage('authentication.md')

  testExamples(page)

  it('leaves none of the endpoints out', () => {
    const { auth, logins, second_factor } = ENDPOINTS
    for (const { path } of Object.values({ ...auth, ...logins, ...second_factor })) {
      if (path === '/auth/mfa') continue // the older name of another one
      assert.ok(page.includes(path.replace(/:\w+$/, '')), path)
    }
  })
})
