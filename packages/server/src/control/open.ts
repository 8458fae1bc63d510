import type { Core } from '../core.ts'
import { INQUIRIES, type Running } from './inquiries.ts'
import { type Operation, type Operations, perform } from './operation.ts'
import { OPERATIONS } from './operations.ts'
import { type Answerer, ControlServer } from './server.ts'
import { controlSocketPath } from './socket-path.ts'

interface ControlContext {
  core: Core
  running: Running
}

/**
 * Opens the control socket of a server. One that cannot be opened does not stop the server, which works without; it is
 * logged what does not work then.
 */
export async function openControl({ core, running }: ControlContext): Promise<AsyncDisposable> {
  const { config } = core
  const log = core.log.child({ logger: 'control' })
  const answer = eitherOf(answererOf(OPERATIONS, core, core), answererOf(INQUIRIES, running, core))
  try {
    const path = controlSocketPath(config)
    if (path !== null) return await ControlServer.listen(path, answer, log)
  } catch (err) {
    log.warn({ err }, 'there is no control socket: until that is solved, vox commands work while the server is stopped')
  }
  return new AsyncDisposableStack()
}

function answererOf<C>(table: Operations<C>, context: C, { config }: Core): Answerer {
  return (name, input) => {
    const operation: Operation<C> | undefined = Object.hasOwn(table, name) ? table[name] : undefined
    return operation && perform(operation, context, input, config.limits)
  }
}

const eitherOf =
  (first: Answerer, second: Answerer): Answerer =>
  (name, input) =>
    first(name, input) ?? second(name, input)
