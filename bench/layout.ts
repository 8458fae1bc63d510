/**
 * What clients read when they start, on a large server: the layout of 500 feeds with 16 overrides each, and pages of
 * 200 of its 50,000 members, who hold 200 roles. Beside each a bare program that queries the same rows of the same
 * SQLite file. The reader is no administrator and sees every feed.
 *
 *   npx node bench/layout.ts [requests] [connections]
 */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { DatabaseSync } from 'node:sqlite'
import { Permission } from '@vox/protocol'
import { openFile } from '../packages/server/src/db/sqlite.ts'
import { httpLoad, type LoadResult, percentile, rawRequest } from './support/http-load.ts'
import { numbers } from './support/numbers.ts'
import { type Program, startProgram, startVox } from './support/program.ts'
import { post, register } from './support/register.ts'

const MEMBERS = 50_000
const ROLES = 200
const FEEDS = 500
const CATEGORIES = 25
const ROOMS = 50
/** A role to which every feed is open, and which the reader holds. */
const READERS = 3

const requests = Number(process.argv[2] ?? 2_000)
const connections = Number(process.argv[3] ?? 4)
const pick = numbers(1)

interface Measured extends LoadResult {
  cpu: number
}

/** A large community in a server's own database, and the token of one of its plain members. */
async function seed(path: string): Promise<string> {
  let token: string
  {
    await using program = await startVox({ VOX_DATABASE_URL: `sqlite:///${path}` })
    await register(program.port)
    const reader = await post(program.port, '/auth/register', { username: 'reader', password: 'correct horse' })
    token = String(reader.token)
  }
  const db = openFile(path)
  db.exec('begin')
  insertRoles(db)
  insertMembers(db)
  insertSpaces(db)
  db.exec('commit')
  db.close()
  return token
}

function insertRoles(db: DatabaseSync): void {
  const role = db.prepare('insert into roles (name, position, permissions) values (?, ?, ?)')
  for (let n = 0; n < ROLES; n++) role.run(`role ${n}`, 10 + n, 1n << BigInt(1 + pick(19)))
}

function insertMembers(db: DatabaseSync): void {
  const user = db.prepare(
    'insert into users (username, username_key, display_name, created_at, joined_at) values (?, ?, ?, 0, 0)',
  )
  const assignment = db.prepare('insert or ignore into role_members (role_id, user_id) values (?, ?)')
  for (let userId = 3; userId <= MEMBERS; userId++) user.run(`user ${userId}`, `user ${userId}`, `Member ${userId}`)
  for (let userId = 2; userId <= MEMBERS; userId++)
    for (let n = 0; n < 3; n++) assignment.run(READERS + pick(ROLES), userId)
  assignment.run(READERS, 2)
}

/** Every third feed is closed to `@everyone`; all are open to some roles and some members. */
function insertSpaces(db: DatabaseSync): void {
  const category = db.prepare('insert into categories (name, position) values (?, ?)')
  const feed = db.prepare(`insert into feeds (name, type, topic, category_id, position) values (?, 'text', ?, ?, ?)`)
  const room = db.prepare(`insert into rooms (name, type, category_id, position) values (?, 'voice', ?, ?)`)
  const override = db.prepare(
    'insert or ignore into permission_overrides (feed_id, role_id, user_id, allow, deny) values (?, ?, ?, ?, ?)',
  )
  for (let n = 1; n <= CATEGORIES; n++) category.run(`category ${n}`, n)
  for (let n = 1; n <= ROOMS; n++) room.run(`room ${n}`, 1 + pick(CATEGORIES), n)
  for (let n = 2; n <= FEEDS; n++) feed.run(`feed ${n}`, `What feed ${n} is about`, 1 + pick(CATEGORIES), n)
  for (let feedId = 1; feedId <= FEEDS; feedId++) {
    override.run(feedId, 1, null, 0n, pick(3) === 0 ? Permission.VIEW_SPACE : Permission.MENTION_EVERYONE)
    override.run(feedId, READERS, null, Permission.VIEW_SPACE, 0n)
    for (let n = 0; n < 4; n++) override.run(feedId, READERS + 1 + pick(ROLES - 1), null, Permission.ATTACH_FILES, 0n)
    for (let n = 0; n < 10; n++) override.run(feedId, null, 3 + pick(MEMBERS - 3), Permission.VIEW_SPACE, 0n)
  }
}

async function measure(program: Program, path: () => string, token?: string): Promise<Measured> {
  const request = () => rawRequest('GET', path(), token)
  const load = (count: number) => httpLoad(program.port, { requests: count, connections, status: 200, request })
  await load(Math.ceil(requests / 5))
  const before = program.cpuSeconds()
  const result = await load(requests)
  return { ...result, cpu: program.cpuSeconds() - before }
}

const somewhere = () => Math.floor(Math.random() * (MEMBERS - 200))

const folder = await mkdtemp(join(tmpdir(), 'vox-layout-'))
const path = join(folder, 'vox.db')
const token = await seed(path)
const results: Record<'layout' | 'members', { bare?: Measured; vox?: Measured }> = { layout: {}, members: {} }
{
  await using program = await startProgram(new URL('ceilings/layout.ts', import.meta.url), path)
  results.layout.bare = await measure(program, () => '/layout')
  results.members.bare = await measure(program, () => `/members?after=${somewhere()}`)
}
{
  await using program = await startVox({ VOX_DATABASE_URL: `sqlite:///${path}` })
  results.layout.vox = await measure(program, () => '/api/v1/server/layout', token)
  results.members.vox = await measure(program, () => `/api/v1/members?limit=200&after=${somewhere()}`, token)
}
await rm(folder, { recursive: true, force: true })

console.log(`${MEMBERS} members, ${ROLES} roles, ${FEEDS} feeds with 16 overrides each, ${connections} connections`)
for (const [what, { bare, vox }] of Object.entries(results)) {
  if (!bare || !vox) continue
  console.log(what)
  console.table(
    Object.entries({ 'bare query': bare, vox }).map(([program, result]) => ({
      program,
      'answers/s': Math.round(result.requests / result.seconds),
      'cpu µs/answer': Math.round((result.cpu / result.requests) * 1e6),
      'p50 ms': Number(percentile(result.latencies, 0.5).toFixed(2)),
      'p99 ms': Number(percentile(result.latencies, 0.99).toFixed(2)),
      'throughput ratio': Number((bare.seconds / result.seconds).toFixed(2)),
      'cpu ratio': Number((result.cpu / bare.cpu).toFixed(2)),
    })),
  )
}
