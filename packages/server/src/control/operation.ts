import { ApiError, DecodeError, decode, type Limits, type Static, type TObject } from '@vox/protocol'
import { InvalidSetting } from '../config/config.ts'
import { DatabaseUnavailable } from '../db/database.ts'
import { Refusal } from '../refusal.ts'

/** What an operator can ask for: what goes in, and what is done with it in some context. */
export interface Operation<C, I extends TObject = TObject, R = unknown> {
  input: I
  run(context: C, input: Static<I>): Promise<R> | R
}

export const operation = <C, I extends TObject, R>(
  input: I,
  run: (context: C, input: Static<I>) => Promise<R> | R,
): Operation<C, I, R> => ({ input, run })

/** Operations by name. */
export type Operations<C> = Readonly<Record<string, Operation<C>>>

/** What the operation of this name takes. */
export type InputOf<T, N extends keyof T> = T[N] extends Operation<never, infer I> ? Static<I> : never

/** What the operation of this name gives. */
export type ResultOf<T, N extends keyof T> = T[N] extends Operation<never, TObject, infer R> ? R : never

/**
 * Does what is asked for, in the same way whether it came over the socket or from this very process.
 *
 * @throws Refusal when it cannot be done; anything else is a defect.
 */
export async function perform<C>(
  { input: schema, run }: Operation<C>,
  context: C,
  input: unknown,
  limits: Limits,
): Promise<unknown> {
  try {
    return await run(context, decode(schema, input, limits))
  } catch (error) {
    throw isExpected(error) ? new Refusal(error.message, { cause: error }) : error
  }
}

/** Errors whose message is meant for whoever asked. */
function isExpected(error: unknown): error is Error {
  return [ApiError, DecodeError, InvalidSetting, DatabaseUnavailable].some((kind) => error instanceof kind)
}
