import { Fields, Text } from '@vox/protocol'
import { VERSION } from '../version.ts'
import { operation } from './operation.ts'
import type { Probes } from './probes.ts'

/** What only a running server knows. */
export interface Running {
  /** Where it listens. */
  url: string
  probes: Probes
}

export interface Status {
  version: string
  pid: number
  /** Id of its user; null where the system has none. */
  uid: number | null
  /** Where it listens. */
  url: string
}

const Mark = Fields({ mark: Text() })

/** What can be asked of a running server. */
export const INQUIRIES = {
  status: operation(
    Fields({}),
    ({ url }: Running): Status => ({ version: VERSION, pid: process.pid, uid: process.getuid?.() ?? null, url }),
  ),

  /** Begins to look out for a request with this mark. */
  'probe/expect': operation(Mark, ({ probes }: Running, { mark }) => {
    probes.expect(mark)
    return null
  }),

  /** How the request with this mark arrived; null if it has not. */
  'probe/sighting': operation(Mark, ({ probes }: Running, { mark }) => probes.sighting(mark)),
} as const
