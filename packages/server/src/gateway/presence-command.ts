import { codePoints, type InputOf, type Limits, stringifyJson, updatePresence } from '@vox/protocol'
import type { Commands } from './commands.ts'
import type { GatewayContext } from './context.ts'
import { CommandError } from './failures.ts'
import type { Presence, Presences } from './presence.ts'

type Input = InputOf<typeof updatePresence>

/** Adds the command by which users say how they are. */
export function addPresence(commands: Commands, presences: Presences, { clock, limits }: GatewayContext): void {
  commands.on(updatePresence, ({ userId }, input) => {
    presences.choose(userId, presenceFrom(input, limits(), clock.now()))
  })
}

/** The presence that a command asks for (spec 06, section 8.2). */
function presenceFrom({ status, custom_status, activity }: Input, limits: Limits, now: number): Presence {
  if (activity && codePoints(stringifyJson(activity)) > limits.presence_activity_max)
    throw new CommandError('PAYLOAD_TOO_LARGE', 'The activity is too large.')
  return {
    status: status ?? 'online',
    ...(custom_status && customStatus(custom_status, limits.presence_custom_status_max, now)),
    ...(activity && { activity }),
  }
}

function customStatus(
  { emoji, text, expiry }: NonNullable<Input['custom_status']>,
  max: number,
  now: number,
): Pick<Presence, 'customStatus' | 'customStatusEnds'> {
  const whole = [emoji, text].filter(Boolean).join(' ')
  const shown = Array.from(whole).slice(0, max).join('')
  if (shown === '') return {}
  const ends = expiry === undefined ? undefined : expiry * 1000
  return { customStatus: shown, ...(ends !== undefined && ends > now && { customStatusEnds: ends }) }
}
