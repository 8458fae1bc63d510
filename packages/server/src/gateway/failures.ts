import type { CloseReason, CommandErrorCode } from '@vox/protocol'

/** Thrown while a message is handled: the connection is to be closed for this reason. */
export class GatewayClose extends Error {
  readonly reason: CloseReason

  constructor(reason: CloseReason) {
    super(reason)
    this.name = 'GatewayClose'
    this.reason = reason
  }
}

/** Thrown by a command that is refused: answered in-band, the connection stays open (spec 06, section 9). */
export class CommandError extends Error {
  readonly code: CommandErrorCode

  constructor(code: CommandErrorCode, message: string) {
    super(message)
    this.name = 'CommandError'
    this.code = code
  }
}
