import {
  type GroupMessage,
  MlsRefusal,
  mlsCommit,
  mlsProposal,
  mlsWelcome,
  readGroupMessage,
  readWelcome,
  type Static,
} from '@vox/protocol'
import type { MlsType as MlsTypeSchema } from '@vox/protocol/endpoints'
import type { Selectable } from 'kysely'
import type { Relays } from '../../db/schema.ts'
import type { Happening } from '../../events/spaces.ts'
import { decodeBase64 } from './base64.ts'

type MlsType = Static<typeof MlsTypeSchema>

const MLS_TYPES: readonly string[] = ['welcome', 'commit', 'proposal'] satisfies MlsType[]

export const isMlsType = (text: string): text is MlsType => MLS_TYPES.includes(text)

/** A relay as it is kept and told. */
export type Relay = Selectable<Relays>

/** What the bytes of a relay say of themselves; nothing if they are not what the relay says they are. */
export type Contents = { group?: { id: string; epoch: bigint }; references?: readonly string[] }

/** Longest group id that is passed on, characters (spec 06, section 8.5). */
const MAX_GROUP_ID = 255

/** Reads what a client wants relayed; whatever it is, it is no error. */
export function contentsOf(type: MlsType, data: string): Contents {
  const bytes = decodeBase64(data)
  if (!bytes) return {}
  try {
    if (type === 'welcome') return { references: readWelcome(bytes).map((found) => Buffer.from(found).toString('hex')) }
    return groupOf(type, readGroupMessage(bytes))
  } catch (error) {
    if (error instanceof MlsRefusal) return {}
    throw error
  }
}

function groupOf(type: MlsType, { groupId, epoch, content }: GroupMessage): Contents {
  const id = Buffer.from(groupId).toString('latin1')
  return content === type && id.length <= MAX_GROUP_ID && /^[ -~]+$/.test(id) ? { group: { id, epoch } } : {}
}

/** How sessions are told of a relay. */
export function relayEvent({ mls_type, data, group_id, dm_id, relay_id, sender_id }: Relay): Happening {
  const told = { data, relay_id, sender_id, ...(dm_id !== null && { dm_id }) }
  if (mls_type === 'welcome') return { event: mlsWelcome, data: told }
  return {
    event: mls_type === 'commit' ? mlsCommit : mlsProposal,
    data: { ...told, ...(group_id !== null && { group_id }) },
  }
}
