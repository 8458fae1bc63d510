import type { Operator } from '../control/operator.ts'
import { createLog, logFormat } from '../log.ts'
import type { Flag, Invocation } from './command.ts'

/** The flags of every command that needs to know which server is meant. */
export const SERVER_FLAGS = {
  'database-url': { setting: 'database.url', value: 'URL' },
} as const satisfies Readonly<Record<string, Flag>>

export const JSON_FLAG = { json: { doc: 'Print JSON.' } } as const satisfies Readonly<Record<string, Flag>>

/** Lets somebody use an operator, and closes what had to be opened for it. */
export async function withOperator<T>(
  { env, err }: Pick<Invocation, 'env' | 'err'>,
  use: (operator: Operator) => Promise<T>,
  { mayCreate = false } = {},
): Promise<T> {
  // Loaded here, so that help and typing errors are answered without it.
  const { reachOperator } = await import('../control/operator.ts')
  await using opened = new AsyncDisposableStack()
  const log = createLog(logFormat(env, err.isTTY ?? false))
  return await use(await reachOperator({ env, log, mayCreate }, opened))
}
