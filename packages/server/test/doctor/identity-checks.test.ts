import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { federationFits, passkeysFit } from '../../src/doctor/identity-checks.ts'
import { deploymentWith, machineWith } from '../support/deployment.ts'

const GATEWAY = { VOX_SERVER_GATEWAY_URL: 'wss://chat.example.org/gateway' }
const ID = { VOX_WEBAUTHN_RP_ID: 'chat.example.org' }

describe('the doctor on identity', () => {
  it('sees whether passkeys fit the public URL', async () => {
    for (const [env, level, cure] of [
      [{}, 'warning', /VOX_WEBAUTHN_RP_ID=chat\.example\.org/],
      [ID, 'error', /VOX_WEBAUTHN_ORIGIN=https:\/\/chat\.example\.org/],
      [{ ...ID, VOX_WEBAUTHN_ORIGIN: 'https://example.com' }, 'error', /at chat\.example\.org or below/],
      [{ ...ID, VOX_WEBAUTHN_ORIGIN: 'https://app.chat.example.org' }, 'warning', /Add https:\/\/chat\.example\.org/],
      [{ ...ID, VOX_WEBAUTHN_ORIGIN: 'https://chat.example.org' }, 'ok', /^$/],
    ] as const) {
      const finding = await passkeysFit.run(deploymentWith({ ...GATEWAY, ...env }))
      assert.equal(finding.level, level)
      assert.match(finding.cure ?? '', cure)
    }
  })

  it('looks for the key of a federated server in the DNS', async () => {
    const record = 'v=vox1; k=ed25519; p=AAAA; sig=2'
    for (const [domain, records, level, cure] of [
      ['chat.example.org', [], 'error', /_voxkey\.chat\.example\.org TXT/],
      ['chat.example.org', [record], 'ok', /^$/],
      ['example.org', [record], 'warning', /_vox\.example\.org has the SVCB/],
    ] as const) {
      const machine = machineWith({ records: [...records] })
      const finding = await federationFits.run(
        deploymentWith({ ...GATEWAY, VOX_FEDERATION_DOMAIN: domain }, { machine }),
      )
      assert.equal(finding.level, level)
      assert.match(finding.cure ?? '', cure)
    }
    assert.equal((await federationFits.run(deploymentWith())).level, 'ok')
  })
})
