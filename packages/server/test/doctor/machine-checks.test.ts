import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { describe, it } from 'node:test'
import {
  clockIsRight,
  filesSuffice,
  isRestarted,
  logIsForMachines,
  processIsAlone,
} from '../../src/doctor/machine-checks.ts'
import { deploymentWith, FakeServer, machineWith } from '../support/deployment.ts'

describe('the doctor on the machine', () => {
  it('asks the system whether the clock is synchronized', async () => {
    const level = async (prints: string) =>
      (await clockIsRight.run(deploymentWith({}, { machine: machineWith({ prints }) }))).level
    assert.deepEqual([await level('yes'), await level('no')], ['ok', 'warning'])
    assert.equal((await clockIsRight.run(deploymentWith())).level, 'skipped')
  })

  it('compares the clock with that of the public side if the system does not say', async () => {
    let ahead = 0
    const elsewhere = createServer((_request, response) => {
      response.setHeader('date', new Date(Date.now() + ahead).toUTCString())
      response.end()
    }).listen(0, '127.0.0.1')
    await once(elsewhere, 'listening')
    const { port } = elsewhere.address() as AddressInfo
    const deployment = deploymentWith({ VOX_SERVER_GATEWAY_URL: `ws://127.0.0.1:${port}/gateway` })
    assert.equal((await clockIsRight.run(deployment)).level, 'ok')
    ahead = 60_000
    const { level, cure } = await clockIsRight.run(deployment)
    assert.equal(level, 'error')
    assert.match(cure ?? '', /chrony/)
    elsewhere.closeAllConnections()
    elsewhere.close()
  })

  it('prefers a log that programs can read', async () => {
    for (const [env, level] of [
      [{}, 'ok'],
      [{ VOX_LOG_FORMAT: 'json' }, 'ok'],
      [{ VOX_LOG_FORMAT: 'text' }, 'warning'],
    ] as const)
      assert.equal((await logIsForMachines.run(deploymentWith(env))).level, level)
  })

  it('finds out who starts the server again', async () => {
    for (const [cgroup, prints, level] of [
      ['0::/system.slice/vox.service\n', 'on-failure', 'ok'],
      ['0::/system.slice/vox.service\n', 'no', 'warning'],
      ['0::/user.slice/user-1/user@1.service\n', '', 'warning'],
      ['0::/user.slice\n', '', 'warning'],
      ['0::/docker/abc\n', '', 'ok'],
    ] as const) {
      const machine = machineWith({ files: { '/proc/7/cgroup': cgroup }, prints })
      const finding = await isRestarted.run(deploymentWith({}, { machine, server: new FakeServer() }))
      assert.equal(finding.level, level, cgroup)
      assert.equal(finding.cure === undefined, level === 'ok')
    }
    assert.equal((await isRestarted.run(deploymentWith({}, { server: new FakeServer() }))).level, 'skipped')
    assert.equal((await isRestarted.run(deploymentWith())).level, 'skipped')
  })

  it('compares open files with connections', async () => {
    const levelOf = async (allowed: number) => {
      const files = { '/proc/7/limits': `Max open files            ${allowed}    ${allowed}   files\n` }
      const facts = { machine: machineWith({ files }), server: new FakeServer() }
      return filesSuffice.run(deploymentWith({ VOX_LIMIT_MAX_TOTAL_CONNECTIONS: '1000' }, facts))
    }
    assert.equal((await levelOf(1500)).level, 'ok')
    const few = await levelOf(1499)
    assert.equal(few.level, 'error')
    assert.match(few.cure ?? '', /LimitNOFILE=1500/)
    assert.equal((await filesSuffice.run(deploymentWith())).level, 'skipped')
  })

  it('knows that a server that answers is the only one', async () => {
    assert.equal((await processIsAlone.run(deploymentWith({}, { server: new FakeServer() }))).level, 'ok')
    const finding = await processIsAlone.run(deploymentWith())
    assert.deepEqual(
      [finding.level, finding.text],
      ['skipped', 'No server answers. One that is started while another has this database refuses to run.'],
    )
  })
})
