import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { sameSettings, serverRuns, variables } from '../../src/doctor/settings-checks.ts'
import { deploymentWith, FakeServer } from '../support/deployment.ts'

describe('the doctor on settings', () => {
  it('names variables that nobody knows', async () => {
    assert.equal((await variables.run(deploymentWith())).level, 'ok')
    const { level, text, cure } = await variables.run(deploymentWith({ VOX_PROT: '1' }))
    assert.equal(level, 'warning')
    assert.match(text, /VOX_PROT/)
    assert.match(cure ?? '', /configuration\.md/)
  })

  it('warns without a server, with one of another version and with one of another user', async () => {
    const findings = [
      [undefined, 'warning', /Start the server/],
      [new FakeServer([], { version: '0.0.1' }), 'warning', /Restart/],
      [new FakeServer([], { uid: 4242 }), 'warning', /user 4242/],
      [new FakeServer(), 'ok', /^$/],
    ] as const
    for (const [server, level, expected] of findings) {
      const finding = await serverRuns.run(deploymentWith({}, server && { server }))
      assert.equal(finding.level, level)
      assert.match(finding.cure ?? '', expected)
    }
  })

  it('notices that the server has other settings than this shell, except for port and log format', async () => {
    const entries = deploymentWith({ VOX_PORT: '9', VOX_LOG_FORMAT: 'text' }).config.entries()
    const same = await sameSettings.run(deploymentWith({}, { server: new FakeServer(entries) }))
    assert.equal(same.level, 'ok')
    const other = await sameSettings.run(
      deploymentWith({ VOX_SERVER_NAME: 'Here' }, { server: new FakeServer(entries) }),
    )
    assert.equal(other.level, 'error')
    assert.match(other.text, /: VOX_SERVER_NAME\.$/)
    assert.match(other.cure ?? '', /vox\.env/)
    assert.equal((await sameSettings.run(deploymentWith())).level, 'skipped')
  })
})
