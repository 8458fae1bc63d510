/** The least a server does for the layout and for a page of members: the queries for their rows, and the JSON of these. */
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { DatabaseSync } from 'node:sqlite'

const db = new DatabaseSync(process.argv[2] ?? '', { readOnly: true })
const categories = db.prepare('select * from categories order by position, category_id')
const feeds = db.prepare('select * from feeds order by position, feed_id')
const rooms = db.prepare('select * from rooms order by position, room_id')
const overrides = db.prepare('select feed_id, role_id, user_id, allow, deny from permission_overrides')
overrides.setReadBigInts(true)
const members = db.prepare(
  'select user_id, username, display_name, avatar, nickname, joined_at from users where user_id > ? order by user_id limit 200',
)
const held = db.prepare('select user_id, role_id from role_members where user_id > ? and user_id <= ?')

function layout() {
  const byFeed = Map.groupBy(overrides.all(), ({ feed_id }) => Number(feed_id))
  return {
    categories: categories.all(),
    feeds: feeds.all().map((feed) => ({
      ...feed,
      permission_overrides: (byFeed.get(Number(feed.feed_id)) ?? []).map(({ role_id, user_id, allow, deny }) => ({
        target_type: role_id === null ? 'user' : 'role',
        target_id: Number(role_id ?? user_id),
        allow,
        deny,
      })),
    })),
    rooms: rooms.all(),
  }
}

function page(after: number) {
  const rows = members.all(after)
  const roles = Map.groupBy(held.all(after, rows.at(-1)?.user_id ?? 0), ({ user_id }) => user_id)
  return {
    items: rows.map((row) => ({ ...row, role_ids: (roles.get(row.user_id ?? 0) ?? []).map(({ role_id }) => role_id) })),
  }
}

const server = createServer((request, response) => {
  const { pathname, searchParams } = new URL(request.url ?? '', 'http://localhost')
  const answer = pathname === '/layout' ? layout() : page(Number(searchParams.get('after')))
  const text = JSON.stringify(answer, (_key, value) =>
    typeof value === 'bigint' ? JSON.rawJSON(value.toString()) : value,
  )
  response.writeHead(200, { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) }).end(text)
})
server.listen(0, '127.0.0.1', () => console.log((server.address() as AddressInfo).port))
