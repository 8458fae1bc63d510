import {
  codePoints,
  cpaceConfirm,
  cpaceIsi,
  cpaceNewDeviceKey,
  cpaceRsi,
  type InputOf,
  type relayCpace,
} from '@vox/protocol'
import { CommandError } from '../../gateway/failures.ts'
import type { Session } from '../../gateway/session.ts'
import type { Services } from '../../services.ts'
import type { Pairings } from './pairing.ts'

type Input = InputOf<typeof relayCpace>

/** Hands messages of a pairing on to the user's own sessions, as long as the pairing is approved (spec 05, section 13.5). */
export async function passOnCpace(
  { work, config }: Services,
  pairings: Pairings,
  { userId }: Session,
  input: Input,
): Promise<void> {
  const happening = happeningOf(input)
  if (!happening) return
  if (codePoints(happening.data.data) > config.limits.relay_payload_max)
    throw new CommandError('PAYLOAD_TOO_LARGE', 'The relay is too large.')
  if (!(await pairings.mayTalk(happening.data.pair_id, userId))) return
  await work.run(async (job) => job.emit(happening.event, happening.data, { to: 'users', users: [userId] }))
}

const EVENTS = new Map([
  ['isi', cpaceIsi],
  ['rsi', cpaceRsi],
  ['confirm', cpaceConfirm],
])

/** What sessions are told of a message; nothing about one of no known type. */
function happeningOf({ cpace_type, pair_id = '', data = '', nonce = '' }: Input) {
  if (cpace_type === 'new_device_key') return { event: cpaceNewDeviceKey, data: { pair_id, data, nonce } }
  const event = EVENTS.get(cpace_type)
  return event && { event, data: { pair_id, data } }
}
