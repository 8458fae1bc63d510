import type { SelectType } from 'kysely'
import type { Schema } from './schema.ts'

/*
 * Neither engine tells a 64-bit id from a count, and SQLite has no booleans. So both convert results by the name of the
 * column, and a name has the same type wherever it appears.
 */

/** Names of the columns of which it is `Holds` that they hold a `T`. */
type NamesWhere<Holds extends boolean, T> = {
  [Table in keyof Schema]: {
    [Column in keyof Schema[Table]]: (
      NonNullable<SelectType<Schema[Table][Column]>> extends T
        ? true
        : false
    ) extends Holds
      ? Column
      : never
  }[keyof Schema[Table]]
}[keyof Schema]

/** Names of the columns that hold a `T`; a complaint if one of them holds something else in another table. */
type ColumnsHolding<T> = [NamesWhere<true, T> & NamesWhere<false, T>] extends [never]
  ? NamesWhere<true, T>
  : `has two types: ${NamesWhere<true, T> & NamesWhere<false, T>}`

/** The columns that hold 64-bit values. The compiler keeps the list equal to the tables above. */
const BIGINT_COLUMNS: Record<ColumnsHolding<bigint>, true> = {
  msg_id: true,
  reply_to: true,
  parent_msg_id: true,
  read_msg_id: true,
  event_id: true,
  entry_id: true,
  relay_id: true,
  first_missed: true,
  epoch: true,
  permissions: true,
  permission: true,
  allow: true,
  deny: true,
}

/** The columns that hold booleans. The compiler keeps the list equal to the tables above. */
const BOOLEAN_COLUMNS: Record<ColumnsHolding<boolean>, true> = {
  federated: true,
  active: true,
  builtin: true,
  hoist: true,
  mentionable: true,
  nsfw: true,
  archived: true,
  locked: true,
  used: true,
  hidden: true,
  last_resort: true,
  deleted: true,
}

export const isBigintColumn = (name: string): boolean => Object.hasOwn(BIGINT_COLUMNS, name)
export const isBooleanColumn = (name: string): boolean => Object.hasOwn(BOOLEAN_COLUMNS, name)

/** The value of an integer in the type of its column, where that is `number`. */
export function exactNumber(integer: bigint | string): number {
  const value = Number(integer)
  if (!Number.isSafeInteger(value)) throw new RangeError(`${integer} is too large for a number`)
  return value
}
