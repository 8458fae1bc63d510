import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { ALL_PERMISSIONS, type Endpoint, Permission, type PermissionName } from '@vox/protocol'
import { ENDPOINTS } from '@vox/protocol/endpoints'
import { sqlite } from './support/engines.ts'
import { type Answer, Client, startTestServer, type TestServer } from './support/server.ts'

/*
 * Every declared endpoint against every kind of caller. What each of them must meet follows from the declaration, so an
 * endpoint that is added is tested from then on. One that declares no permission has to be listed here.
 */

/** Endpoints for which an active account is enough, or that concern nobody but the caller. */
const OPEN_TO_MEMBERS: readonly string[] = [
  'answerPairing',
  'changePassword',
  'confirmSecondFactor',
  'createReport',
  'deletePasskey',
  'fetchKeyPackages',
  'fetchPrekeys',
  'getCategory',
  'getKeyBackup',
  'getLayout',
  'getMember',
  'getPresence',
  'getSecondFactor',
  'getServer',
  'getUser',
  'joinServer',
  'joinServerAsMe',
  'listCategories',
  'listCommands',
  'listDevices',
  'listDms',
  'listEmoji',
  'listMembers',
  'listPasskeys',
  'listRelays',
  'listRoleMembers',
  'listRoles',
  'listSessions',
  'listStickers',
  'listTrendingGifs',
  'logout',
  'openDm',
  'registerDevice',
  'removeDevice',
  'removeSecondFactor',
  'renewRecoveryCodes',
  'resolveEmbed',
  'resetKeys',
  'revokeSession',
  'searchGifs',
  'setUpSecondFactor',
  'startPairing',
  'storeKeyBackup',
  'sync',
  'uploadKeyPackages',
  'uploadPrekeys',
]

/** Endpoints that look at rights themselves, because these depend on what is there: who wrote it, who sees it. */
const CHECK_THEMSELVES: readonly string[] = [
  'addDmRecipient',
  'convertDm',
  'deleteFile',
  'deleteMessage',
  'getFeed',
  'getFile',
  'getRoom',
  'getThread',
  'listFeeds',
  'listRooms',
  'listThreads',
  'respondToInteraction',
  'searchMessages',
  'subscribeToFeed',
  'subscribeToThread',
  'unsubscribeFromFeed',
  'unsubscribeFromThread',
  'useComponent',
]

/** What becomes of a request before its handler looks at the state. */
type Outcome = 'asked for a token' | 'sent to log in' | 'inactive' | 'refused' | 'admitted'

function outcomeOf({ status, body }: Answer): Outcome {
  const code = body?.error?.code
  if (code === 'VALIDATION_ERROR' && /Authorization/.test(body.error.message)) return 'asked for a token'
  if (code === 'AUTH_EXPIRED') return 'sent to log in'
  if (code === 'BANNED') return 'inactive'
  // A server without a key for GIFs says so with a 503.
  assert.ok(status < 500 || code === 'GIF_PROVIDER_UNAVAILABLE', `${status} ${code}`)
  return code === 'MISSING_PERMISSIONS' || code === 'NOT_DM_PARTICIPANT' ? 'refused' : 'admitted'
}

const endpoints = Object.values(ENDPOINTS)
  .flatMap((section) => Object.entries(section))
  // A request that ends its session goes last.
  .sort(([a], [b]) => Number(a === 'logout') - Number(b === 'logout'))

/** Id of nothing and nobody; a valid form of every kind of id. */
const UNKNOWN = '4000000'

function send(client: Client, { method, path }: Endpoint, scheme?: string): Promise<Answer> {
  const url = `/api/v1${path.replaceAll(/:\w+/g, UNKNOWN)}`
  const body = method === 'GET' ? undefined : '{}'
  return client.raw(method, url, body, {
    ...(body && { 'content-type': 'application/json' }),
    ...(scheme && { authorization: `${scheme} ${client.token}` }),
  })
}

/** All that a caller can hold without this; `ADMINISTRATOR` would include it. */
function allBut(...names: PermissionName[]): bigint {
  return names.reduce((set, name) => set & ~Permission[name], ALL_PERMISSIONS & ~Permission.ADMINISTRATOR)
}

/** The accounts of the matrix: `@everyone` holds nothing, so each holds what its role gives. */
class Cast {
  readonly server: TestServer
  readonly administrator: Client
  readonly #holders = new Map<bigint, Promise<Client>>()
  #accounts = 0

  constructor(server: TestServer, administrator: Client) {
    this.server = server
    this.administrator = administrator
  }

  static async gather(): Promise<Cast> {
    const server = await startTestServer(sqlite)
    const administrator = await server.register('administrator')
    await administrator.patch('/roles/1', { permissions: 0 })
    return new Cast(server, administrator)
  }

  /** A member who holds exactly these permissions. */
  holder(permissions: bigint): Promise<Client> {
    const holder = this.#holders.get(permissions) ?? this.newHolder(permissions)
    this.#holders.set(permissions, holder)
    return holder
  }

  async newHolder(permissions: bigint): Promise<Client & { userId: number }> {
    const member = await this.server.register(`member${++this.#accounts}`)
    if (permissions === 0n) return member
    const { role_id } = (await this.administrator.post('/roles', { name: 'role', permissions })).body
    await this.administrator.put(`/members/${member.userId}/roles/${role_id}`)
    return member
  }

  async former(): Promise<Client> {
    const member = await this.newHolder(0n)
    await member.delete('/members/@me')
    return member
  }

  async banned(): Promise<Client> {
    const member = await this.newHolder(0n)
    await this.administrator.put(`/bans/${member.userId}`)
    return member
  }
}

describe('every endpoint', () => {
  let cast: Cast
  let former: Client
  let banned: Client

  before(async () => {
    cast = await Cast.gather()
    former = await cast.former()
    banned = await cast.banned()
  })
  after(() => cast.server.close())

  const sends = async (client: Client, endpoint: Endpoint, scheme?: string) =>
    outcomeOf(await send(client, endpoint, scheme))

  for (const [name, endpoint] of endpoints) {
    const { method, path, auth, requires, forParticipants } = endpoint
    describe(`${method} ${path}`, () => {
      if (auth === 'none') {
        it('asks for no token and ignores the one that comes', async () => {
          const { visitor, url } = cast.server
          const answer = await send(visitor, endpoint)
          assert.notEqual(outcomeOf(answer), 'asked for a token')
          assert.deepEqual((await send(new Client(url, 'stale'), endpoint)).body, answer.body)
        })
        return
      }

      it('turns away who is no active member', async () => {
        const { visitor, url } = cast.server
        assert.equal(await sends(visitor, endpoint), 'asked for a token')
        assert.equal(await sends(new Client(url, 'stale'), endpoint), 'sent to log in')
        assert.equal(await sends(banned, endpoint), 'inactive')
        assert.equal(await sends(former, endpoint), auth === 'session-or-former' ? 'admitted' : 'inactive')
      })

      if (forParticipants) {
        it('refuses everybody who takes no part in the conversation, administrators included', async () => {
          assert.equal(await sends(cast.administrator, endpoint), 'refused')
          assert.equal(await sends(await cast.holder(allBut()), endpoint, 'Bot'), 'refused')
        })
        return
      }

      if (!requires) {
        if (!OPEN_TO_MEMBERS.includes(name)) return
        it('admits every member, by either scheme', async () => {
          const member = await cast.holder(0n)
          assert.equal(await sends(await cast.newHolder(0n), endpoint, 'Bot'), 'admitted')
          assert.equal(await sends(member, endpoint), 'admitted')
        })
        return
      }

      const { permission, or, in: place, unlessSelf, ofSelf } = requires
      const sight = place ? Permission.VIEW_SPACE : 0n

      it(`admits holders of ${[permission, or].filter(Boolean).join(' or ')} and administrators`, async () => {
        const holder = await cast.holder(Permission[permission] | sight)
        assert.equal(await sends(holder, endpoint), 'admitted')
        assert.equal(await sends(holder, endpoint, 'Bot'), 'admitted')
        assert.equal(await sends(cast.administrator, endpoint), 'admitted')
        if (or) assert.equal(await sends(await cast.holder(Permission[or] | sight), endpoint), 'admitted')
      })

      it('refuses those who hold nothing, or everything else', async () => {
        assert.equal(await sends(await cast.holder(0n), endpoint), 'refused')
        const holder = await cast.holder(allBut(permission, ...(or ? [or] : [])))
        assert.equal(await sends(holder, endpoint), 'refused')
      })

      if (unlessSelf || ofSelf)
        it(`asks for ${ofSelf ?? 'nothing'} when the user is oneself`, async () => {
          const own = { ...endpoint, path: path.replace(':user_id', '@me') }
          const rights = ofSelf ? Permission[ofSelf] : 0n
          assert.equal(await sends(await cast.newHolder(rights), own), 'admitted')
          if (ofSelf) assert.equal(await sends(await cast.newHolder(allBut(ofSelf)), own), 'refused')
        })
    })
  }

  it('declares a permission or is listed above, and not both', () => {
    const withoutPermission = endpoints.filter(
      ([, { auth, requires, forParticipants }]) => auth !== 'none' && !requires && !forParticipants,
    )
    const names = withoutPermission.map(([name]) => name)
    assert.deepEqual(names.sort(), [...OPEN_TO_MEMBERS, ...CHECK_THEMSELVES].sort())
  })
})
