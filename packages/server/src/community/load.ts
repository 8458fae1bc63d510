import type { Kysely } from 'kysely'
import type { Schema } from '../db/schema.ts'
import { Community, type Override } from './community.ts'
import { feedOf, roomOf } from './layout.ts'

/** Builds the picture from the database, once at start. */
export async function loadCommunity(db: Kysely<Schema>): Promise<Community> {
  const community = new Community()
  for (const role of await db.selectFrom('roles').select(['role_id', 'position', 'permissions', 'builtin']).execute())
    community.setRole({ id: role.role_id, ...role })
  await loadMembers(db, community)
  await loadAccounts(db, community)
  await loadBlocks(db, community)
  await loadLayout(db, community)
  return community
}

async function loadMembers(db: Kysely<Schema>, community: Community): Promise<void> {
  const roles = new Map<number, number[]>()
  for (const { user_id, role_id } of await db.selectFrom('role_members').selectAll().execute())
    roles.set(user_id, [...(roles.get(user_id) ?? []), role_id])
  for (const { user_id } of await db
    .selectFrom('users')
    .select('user_id')
    .where('active', '=', true)
    .where('joined_at', 'is not', null)
    .execute())
    community.setMember(user_id, roles.get(user_id) ?? [])
}

async function loadAccounts(db: Kysely<Schema>, { accounts }: Community): Promise<void> {
  for (const { user_id } of await db.selectFrom('bans').select('user_id').execute()) accounts.banned.add(user_id)
  for (const { user_id } of await db.selectFrom('users').select('user_id').where('federated', '=', true).execute())
    accounts.remote.add(user_id)
  for (const bot of await db.selectFrom('bots').selectAll().execute())
    accounts.bots.set(bot.user_id, { botId: bot.bot_id, ownerId: bot.owner_id, interactionUrl: bot.interaction_url })
}

async function loadBlocks(db: Kysely<Schema>, { blocks }: Community): Promise<void> {
  for (const { user_id, blocked_id } of await db.selectFrom('blocks').selectAll().execute())
    blocks.add(user_id, blocked_id)
}

async function loadLayout(db: Kysely<Schema>, community: Community): Promise<void> {
  const overrides = await loadOverrides(db)
  for (const category of await db.selectFrom('categories').selectAll().execute())
    community.layout.categories.set(category.category_id, category)
  for (const feed of await db.selectFrom('feeds').selectAll().execute())
    if (feed.deleted) community.closeFeed(feed.feed_id)
    else community.setFeed(feedOf(feed, overrides.get(`feed${feed.feed_id}`) ?? []))
  for (const room of await db.selectFrom('rooms').selectAll().execute())
    community.setRoom(roomOf(room, overrides.get(`room${room.room_id}`) ?? []))
}

async function loadOverrides(db: Kysely<Schema>): Promise<Map<string, Override[]>> {
  const bySpace = new Map<string, Override[]>()
  for (const { feed_id, room_id, role_id, user_id, allow, deny } of await db
    .selectFrom('permission_overrides')
    .selectAll()
    .orderBy(({ eb }) => eb('role_id', 'is', null))
    .orderBy('role_id')
    .orderBy('user_id')
    .execute()) {
    const space = feed_id === null ? `room${room_id}` : `feed${feed_id}`
    const target =
      role_id === null
        ? { targetType: 'user' as const, targetId: user_id ?? 0 }
        : { targetType: 'role' as const, targetId: role_id }
    bySpace.set(space, [...(bySpace.get(space) ?? []), { ...target, allow, deny }])
  }
  return bySpace
}
