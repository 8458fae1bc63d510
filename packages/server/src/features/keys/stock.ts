import type { Work } from '../../events/work.ts'
import type { Services } from '../../services.ts'
import { keysLeft } from './handouts.ts'
import { readUpload, type StoredPackage, usableUntil } from './key-packages.ts'
import { demandDevice, devicesOf } from './store.ts'

/** Ordinary packages that are kept per device (spec 05, section 9.1). */
const MAX_STOCK = 500

/** How long it is remembered who was given which package (spec 05, section 9.2). */
const REMEMBERED_MS = 30 * 86_400_000

/** Since when a handing-out counts. */
export const rememberedSince = (now: number): number => now - REMEMBERED_MS

/**
 * The stock of MLS key packages (spec 05, section 9). An ordinary package is handed out once. One of last resort takes
 * its place when there is none, again and again. To whom each was handed out is remembered, because it lets the receiver
 * send the owner a Welcome.
 */
export class KeyPackages {
  readonly #services: Services

  constructor(services: Services) {
    this.#services = services
    const { work, clock, cleanup } = services
    cleanup.add('records of key packages given away', () =>
      work.run(({ db }) =>
        db.deleteFrom('key_package_handouts').where('handed_at', '<=', rememberedSince(clock.now())).execute(),
      ),
    )
  }

  /** Adds packages; the device's stock from then on. */
  async upload(userId: number, deviceId: string, texts: readonly string[]): Promise<number> {
    const { work, clock } = this.#services
    const now = clock.now()
    const packages = sameDevice(readUpload(texts, userId, deviceId, now))
    return work.run(async (job) => {
      await demandDevice(job.db, userId, deviceId)
      await dropForeign(job, deviceId, packages)
      await add(job, deviceId, await unknownOnes(job, packages))
      await dropSurplus(job, deviceId)
      return count(job, deviceId, now)
    })
  }

  /** One package of each of the owner's devices, or of one of them. */
  fetch(receiverId: number, ownerId: number, deviceId: string | undefined): Promise<string[]> {
    const { work, clock } = this.#services
    return work.run(async (job) => {
      const now = clock.now()
      let left = await keysLeft(job, 'key_package_handouts', { receiverId, ownerId, now })
      const taken: StoredPackage[] = []
      for (const { device_id } of await devicesOf(job.db, ownerId)) {
        if (deviceId !== undefined && device_id !== deviceId) continue
        await dropExpired(job, device_id, now)
        const found = (left > 0 && (await takeOldest(job, device_id))) || (await lastResort(job, device_id))
        if (!found) continue
        if (!found.last_resort) left--
        taken.push(found)
      }
      await remember(job, taken, { owner_id: ownerId, receiver_id: receiverId, handed_at: now })
      return taken.map(({ key_data }) => key_data)
    })
  }
}

/** Packages with another signature key than the last one are of a device that has been set up anew since. */
function sameDevice(packages: StoredPackage[]): StoredPackage[] {
  const current = packages.at(-1)?.signature_key
  return packages.slice(packages.findLastIndex(({ signature_key }) => signature_key !== current) + 1)
}

async function dropForeign(job: Work, deviceId: string, [first]: readonly StoredPackage[]): Promise<void> {
  if (!first) return
  await job.db
    .deleteFrom('key_packages')
    .where('device_id', '=', deviceId)
    .where('signature_key', '<>', first.signature_key)
    .execute()
}

/** Those not in stock, and not used up: each once. */
async function unknownOnes(job: Work, packages: readonly StoredPackage[]): Promise<StoredPackage[]> {
  const unique = new Map(packages.map((found) => [found.reference, found]))
  if (unique.size === 0) return []
  const known = await job.db
    .selectFrom('key_packages')
    .select('reference')
    .where('reference', 'in', [...unique.keys()])
    .union(({ selectFrom }) =>
      selectFrom('key_package_handouts')
        .select('reference')
        .where('reference', 'in', [...unique.keys()])
        .where('last_resort', '=', false),
    )
    .execute()
  for (const { reference } of known) unique.delete(reference)
  return [...unique.values()]
}

async function add(job: Work, deviceId: string, packages: readonly StoredPackage[]): Promise<void> {
  const newResort = packages.findLast(({ last_resort }) => last_resort)
  if (newResort)
    await job.db.deleteFrom('key_packages').where('device_id', '=', deviceId).where('last_resort', '=', true).execute()
  const kept = packages.filter((found) => !found.last_resort || found === newResort)
  if (kept.length > 0) await job.db.insertInto('key_packages').values(kept).execute()
}

async function dropSurplus(job: Work, deviceId: string): Promise<void> {
  await job.db
    .deleteFrom('key_packages')
    .where('device_id', '=', deviceId)
    .where('last_resort', '=', false)
    .where('package_id', '<=', ({ selectFrom }) =>
      selectFrom('key_packages')
        .select('package_id')
        .where('device_id', '=', deviceId)
        .where('last_resort', '=', false)
        .orderBy('package_id', 'desc')
        .limit(1)
        .offset(MAX_STOCK),
    )
    .execute()
}

async function count(job: Work, deviceId: string, now: number): Promise<number> {
  const row = await job.db
    .selectFrom('key_packages')
    .select(({ fn }) => fn.countAll<number>().as('count'))
    .where('device_id', '=', deviceId)
    .where('expires_at', '>', usableUntil(now))
    .executeTakeFirstOrThrow()
  return row.count
}

async function dropExpired(job: Work, deviceId: string, now: number): Promise<void> {
  await job.db
    .deleteFrom('key_packages')
    .where('device_id', '=', deviceId)
    .where('expires_at', '<=', usableUntil(now))
    .execute()
}

function takeOldest(job: Work, deviceId: string): Promise<StoredPackage | undefined> {
  return job.db
    .deleteFrom('key_packages')
    .where('package_id', '=', ({ selectFrom }) =>
      selectFrom('key_packages')
        .select(({ fn }) => fn.min('package_id').as('package_id'))
        .where('device_id', '=', deviceId)
        .where('last_resort', '=', false),
    )
    .returningAll()
    .executeTakeFirst()
}

function lastResort(job: Work, deviceId: string): Promise<StoredPackage | undefined> {
  return job.db
    .selectFrom('key_packages')
    .selectAll()
    .where('device_id', '=', deviceId)
    .where('last_resort', '=', true)
    .executeTakeFirst()
}

async function remember(
  job: Work,
  packages: readonly StoredPackage[],
  handout: { owner_id: number; receiver_id: number; handed_at: number },
): Promise<void> {
  if (packages.length === 0) return
  const rows = packages.map(({ device_id, reference, last_resort }) => ({
    ...handout,
    device_id,
    reference,
    last_resort,
  }))
  await job.db.insertInto('key_package_handouts').values(rows).execute()
}
