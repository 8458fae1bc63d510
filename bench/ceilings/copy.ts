/** Copies the messages of an SQLite database to a PostgreSQL one, a thousand at a time: copy.ts FROM TO */
import pg from 'pg'
import { openFile } from '../../packages/server/src/db/sqlite.ts'
import { parseDatabaseUrl } from '../../packages/server/src/db/url.ts'

const PAGE = 1000

const [from, to] = process.argv.slice(2).map(parseDatabaseUrl)
if (from?.engine !== 'sqlite' || !from.path || to?.engine !== 'postgres') throw new Error('copy.ts FROM TO')
using source = openFile(from.path, { readOnly: true })
const target = new pg.Client(to.config)
await target.connect()

const { rows } = await target.query<{ name: string; type: string }>(
  `select attname as name, format_type(atttypid, atttypmod) as type from pg_attribute
   where attrelid = 'messages'::regclass and attnum > 0 and not attisdropped and attgenerated = ''`,
)
const names = rows.map(({ name }) => name)
const lists = rows.map(({ type }, at) => `$${at + 1}::${type}[]`)
const insert = `insert into messages (${names}) select * from unnest(${lists})`

const select = source.prepare(`select ${names} from messages order by msg_id`)
select.setReadBigInts(true)
let page: Record<string, unknown>[] = []
const flush = async () => {
  await target.query(
    insert,
    names.map((name) => page.map((row) => row[name])),
  )
  page = []
}
for (const row of select.iterate()) {
  page.push(row)
  if (page.length === PAGE) await flush()
}
if (page.length > 0) await flush()
await target.end()
