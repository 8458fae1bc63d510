import { type ReplyOf, type Static, snowflakeTime } from '@vox/protocol'
import type { listRelays } from '@vox/protocol/endpoints'
import type { Services } from '../../services.ts'
import { readableIds } from './mailbox.ts'

const DEFAULT_PAGE = 100

/** Bytes of relayed data in one page; a page has at least one relay, whatever its size. */
const MAX_PAGE_DATA = 4 * 1024 * 1024

type Wanted = Static<typeof listRelays.query>

/** A page of the relays that the user may read, oldest first (spec 05, section 13.4). */
export async function relayHistory(
  services: Services,
  userId: number,
  wanted: Wanted,
): Promise<ReplyOf<typeof listRelays>> {
  const ids = await pageOfIds(services, userId, wanted)
  if (ids.length === 0) return { relays: [], cursor: null }
  const rows = await services.db.read
    .selectFrom('relays')
    .selectAll()
    .where('relay_id', 'in', ids)
    .orderBy('relay_id')
    .execute()
  const relays = rows.map(({ feed_id: _, ...relay }) => ({ ...relay, timestamp: snowflakeTime(relay.relay_id) }))
  return { relays, cursor: ids.at(-1) ?? null }
}

async function pageOfIds(
  services: Services,
  userId: number,
  { after = 0n, limit = DEFAULT_PAGE, dm_id }: Wanted,
): Promise<bigint[]> {
  let readable = services.db.read
    .selectFrom('relays')
    .select(['relay_id', ({ fn }) => fn<number>('octet_length', ['data']).as('size')])
    .where('relay_id', 'in', readableIds(services, userId, after))
  if (dm_id !== undefined) readable = readable.where('dm_id', '=', dm_id)
  return withinSize(await readable.orderBy('relay_id').limit(limit).execute())
}

/** The first ones, as far as their data fit into a page. */
function withinSize(found: readonly { relay_id: bigint; size: number }[]): bigint[] {
  let total = 0
  const end = found.findIndex(({ size }, index) => {
    total += size
    return index > 0 && total > MAX_PAGE_DATA
  })
  return found.slice(0, end === -1 ? found.length : end).map(({ relay_id }) => relay_id)
}
