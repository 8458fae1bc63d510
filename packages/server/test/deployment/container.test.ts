import assert from 'node:assert/strict'
import { once } from 'node:events'
import { chownSync, existsSync, mkdirSync, readFileSync, statSync } from 'node:fs'
import { createInterface } from 'node:readline'
import { before, describe, it } from 'node:test'
import { fileURLToPath } from 'node:url'
import { validate } from 'dockerfile-utils'
import { build, type Image, withoutContainers } from '../support/container.ts'
import { freshPath } from '../support/folder.ts'
import { deployed } from '../support/proxies.ts'

const CONTEXT = fileURLToPath(new URL('../../../..', import.meta.url))

describe('the Dockerfile', () => {
  it('is found without fault by a linter', () => {
    assert.deepEqual(validate(deployed('Dockerfile')), [])
    assert.notDeepEqual(validate('FORM node:24-slim'), [])
  })
})

describe('the image', { skip: withoutContainers() }, () => {
  let image: Image

  before(() => {
    image = build(deployed('Dockerfile'), CONTEXT, deployed('Dockerfile.dockerignore'))
  })

  it('has what the server needs and nothing else', () => {
    const has = (file: string) => existsSync(image.path(`/vox/${file}`))
    for (const file of ['LICENSE', 'packages/server/src/main.ts', 'packages/protocol/src', 'node_modules/fastify'])
      assert.ok(has(file), file)
    for (const file of [
      '.git',
      'docs',
      'bench',
      'packages/server/test',
      'node_modules/typescript',
      'node_modules/node',
    ])
      assert.ok(!has(file), file)
    assert.ok(!existsSync(image.npmCache))
  })

  it('serves as an ordinary user on a read-only root, and keeps its data in the volume', async () => {
    const volume = freshPath()
    mkdirSync(volume)
    // A new volume has the owner of the folder in the image.
    const { uid, gid } = statSync(image.path('/data'))
    chownSync(volume, uid, gid)
    const env = { VOX_PORT: '0', VOX_HOST: '127.0.0.1' }
    const server = image.start(image.entrypoint, volume, env)
    const url = await new Promise<string>((resolve, reject) => {
      const log: string[] = []
      createInterface(server.stderr ?? process.stdin).on('line', (line) => {
        log.push(line)
        const [, found] = /"url":"(http:[^"]+)".*"message":"ready"/.exec(line) ?? []
        if (found) resolve(found)
      })
      server.on('exit', (code) => reject(new Error(`it ended with ${code}:\n${log.join('\n')}`)))
    })
    const status = readFileSync(`/proc/${server.pid}/status`, 'utf8')
    assert.match(status, /^Uid:\t1000\t1000\t1000\t1000$/m)
    assert.match(status, /^CapEff:\t0+$/m)

    const healthcheck = async () => {
      const child = image.start(image.healthcheck, volume, { ...env, VOX_PORT: new URL(url).port })
      return (await once(child, 'exit'))[0]
    }
    assert.equal(await healthcheck(), 0)
    assert.equal((await fetch(`${url}/ready`)).status, 200)
    assert.ok(existsSync(`${volume}/vox.db`) && existsSync(`${volume}/uploads`))

    const ended = once(server, 'exit')
    server.kill(image.stopSignal)
    assert.deepEqual(await ended, [0, null])
    assert.equal(await healthcheck(), 1)
  })

  it('cannot be written to by the server', async () => {
    const volume = freshPath()
    mkdirSync(volume)
    const child = image.start(['touch', '/vox/packages/server/src/main.ts'], volume, {})
    assert.notEqual((await once(child, 'exit'))[0], 0)
  })

  it('opens the ports of the server and of voice', () => {
    assert.deepEqual(image.ports, ['8000/tcp', '4443/udp'])
    assert.deepEqual(image.volumes, [image.workdir])
  })
})
