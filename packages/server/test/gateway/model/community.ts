import {
  DEFAULT_EVERYONE_PERMISSIONS,
  feedCreate,
  feedDelete,
  memberJoin,
  memberLeave,
  messageCreate,
  messageDelete,
  messageUpdate,
  Permission,
  permissionOverrideDelete,
  permissionOverrideUpdate,
  roleAssign,
  roleRevoke,
  roleUpdate,
} from '@vox/protocol'
import type { Override } from '../../../src/community/community.ts'
import type { Feed } from '../../../src/community/layout.ts'
import { viewersOfFeed } from '../../../src/events/audience.ts'
import { feedCreateData } from '../../../src/events/spaces.ts'
import type { UnitOfWork, Work } from '../../../src/events/work.ts'
import { EVERYONE, type TestGateway } from '../../support/gateway.ts'
import type { ModelFeed, Sights, World } from './world.ts'

const { VIEW_SPACE, ADMINISTRATOR } = Permission

/** What a role may hold in the model. */
export const HOLDINGS = [0n, VIEW_SPACE, VIEW_SPACE, DEFAULT_EVERYONE_PERMISSIONS, ADMINISTRATOR]

/** Does each thing twice: in the model, and in the server as a feature would, by a job. The jobs run in this order. */
export class ModelCommunity {
  readonly #world: World
  readonly #gateway: TestGateway
  readonly #work: UnitOfWork
  #running: Promise<void>[] = []
  #nextFeed = 1
  #nextMessage = 1

  constructor(world: World, gateway: TestGateway, work: UnitOfWork) {
    this.#world = world
    this.#gateway = gateway
    this.#work = work
  }

  /** Waits until everything has happened in the server, too. */
  async settled(): Promise<void> {
    const running = this.#running
    this.#running = []
    await Promise.all(running)
  }

  #job(job: (work: Work) => void): void {
    this.#running.push(this.#work.run(async (work) => job(work)))
  }

  post(author_id: number, { id: feed_id, messages }: ModelFeed): void {
    const msg_id = this.#nextMessage++
    const body = `message ${msg_id}`
    messages.set(msg_id, body)
    this.#tellViewers(`message_create ${feed_id} ${msg_id} ${body}`, feed_id)
    const data = { msg_id: BigInt(msg_id), author_id, body, timestamp: 0, feed_id }
    this.#job((job) => job.emit(messageCreate, data, viewersOfFeed(feed_id)))
  }

  edit({ id: feed_id, messages }: ModelFeed, msg_id: number): void {
    const body = `${messages.get(msg_id)}!`
    messages.set(msg_id, body)
    this.#tellViewers(`message_update ${feed_id} ${msg_id} ${body}`, feed_id)
    const data = { msg_id: BigInt(msg_id), feed_id, body, edit_timestamp: 0 }
    this.#job((job) => job.emit(messageUpdate, data, viewersOfFeed(feed_id)))
  }

  deleteMessage({ id: feed_id, messages }: ModelFeed, msg_id: number): void {
    messages.delete(msg_id)
    this.#tellViewers(`message_delete ${feed_id} ${msg_id}`, feed_id)
    this.#job((job) => job.emit(messageDelete, { msg_id: BigInt(msg_id), feed_id }, viewersOfFeed(feed_id)))
  }

  createFeed(sights: Sights): void {
    const feed: ModelFeed = { id: this.#nextFeed++, sights, messages: new Map() }
    this.#world.feeds.set(feed.id, feed)
    this.#tellViewers(`feed_create ${feed.id}`, feed.id)
    const real = realFeed(feed)
    this.#job((job) => {
      job.change((community) => community.setFeed(real))
      job.emit(feedCreate, feedCreateData(real), viewersOfFeed(real.id))
    })
  }

  deleteFeed({ id }: ModelFeed): void {
    this.#tellViewers(`feed_delete ${id}`, id)
    this.#world.feeds.delete(id)
    this.#job((job) => {
      job.emit(feedDelete, { feed_id: id }, viewersOfFeed(id))
      job.change((community) => community.deleteSpace({ type: 'feed', id }))
    })
  }

  setSight(feed: ModelFeed, target_type: 'role' | 'user', target_id: number, sight?: 'allow' | 'deny'): void {
    const target = `${target_type} ${target_id}`
    const type = sight ? 'permission_override_update' : 'permission_override_delete'
    this.#world.changeSight(
      `${type} ${feed.id} ${target}`,
      () => (sight ? feed.sights.set(target, sight) : feed.sights.delete(target)),
      feed,
    )
    const real = realFeed(feed)
    const data = { space_type: 'feed', space_id: feed.id, target_type, target_id } as const
    const audience = viewersOfFeed(feed.id)
    this.#job((job) => {
      if (sight) {
        const event = { event: permissionOverrideUpdate, data: { ...data, ...bitsOf(sight) }, audience }
        job.changePermissions((community) => community.setFeed(real), event)
      } else {
        const event = { event: permissionOverrideDelete, data, audience }
        job.changePermissions((community) => community.setFeed(real), event)
      }
    })
  }

  setRole(role_id: number, permissions: bigint): void {
    this.#world.changeSight(`role_update ${role_id}`, () => this.#world.roles.set(role_id, permissions))
    const role = { id: role_id, position: role_id, permissions, builtin: role_id === EVERYONE }
    const event = { event: roleUpdate, data: { role_id, permissions }, audience: { to: 'members' } } as const
    this.#job((job) => job.changePermissions((community) => community.setRole(role), event))
  }

  /** Gives the member the role, or takes it away. */
  toggleRole(user_id: number, role_id: number): void {
    const roles = this.#world.members.get(user_id) ?? new Set()
    const event = roles.has(role_id) ? roleRevoke : roleAssign
    this.#world.changeSight(`${event.type} ${role_id} ${user_id}`, () => {
      if (!roles.delete(role_id)) roles.add(role_id)
    })
    const ids = [...roles]
    const own = { event, data: { role_id, user_id }, audience: { to: 'members' } } as const
    this.#job((job) => job.changePermissions((community) => community.setMember(user_id, ids), own, [user_id]))
  }

  /** The member leaves; all their sessions end. */
  expel(user_id: number): void {
    this.#world.tellMembers(`member_leave ${user_id}`)
    this.#world.members.delete(user_id)
    this.#world.sessions = this.#world.sessions.filter(({ userId }) => userId !== user_id)
    this.#job((job) => {
      job.emit(memberLeave, { user_id }, { to: 'members', and: [user_id] })
      job.change((community) => community.deleteMember(user_id))
      job.afterCommit(() => this.#gateway.gateway.endUser(user_id))
    })
  }

  join(user_id: number): void {
    this.#world.members.set(user_id, new Set())
    this.#world.tellMembers(`member_join ${user_id}`)
    this.#job((job) => {
      job.change((community) => community.setMember(user_id, []))
      job.emit(memberJoin, { user_id, username: `user${user_id}` }, { to: 'members' })
    })
  }

  #tellViewers(event: string, feedId: number): void {
    const feed = this.#world.feeds.get(feedId)
    if (feed) this.#world.tellViewers(event, feed)
  }
}

function realFeed({ id, sights }: ModelFeed): Feed {
  const overrides = [...sights].map(([target, sight]): Override => {
    const [targetType, targetId] = target.split(' ')
    return { targetType: targetType as 'role' | 'user', targetId: Number(targetId), ...bitsOf(sight) }
  })
  const layout = { topic: null, categoryId: null, position: id, nsfw: false, slowmodeSeconds: 0 }
  return { id, name: `feed-${id}`, type: 'text', ...layout, overrides }
}

const bitsOf = (sight: 'allow' | 'deny') => ({
  allow: sight === 'allow' ? VIEW_SPACE : 0n,
  deny: sight === 'deny' ? VIEW_SPACE : 0n,
})
