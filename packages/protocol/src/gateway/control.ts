import type { CommandErrorCode } from './commands.ts'

/**
 * A message from the server that belongs to a connection, not to a session: it has no `seq`, is never replayed and is
 * no event (spec 06, section 13.13).
 */
export type ControlMessage =
  | { type: 'hello'; d: { heartbeat_interval: number } }
  | { type: 'heartbeat_ack' }
  | { type: 'resumed'; d: { seq: number } }
  | { type: 'error'; d: { code: CommandErrorCode; message: string } }
