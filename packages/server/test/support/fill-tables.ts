import type { DatabaseSync, SQLInputValue } from 'node:sqlite'
import { isBigintColumn, isBooleanColumn } from '../../src/db/columns.ts'
import { openFile } from '../../src/db/sqlite.ts'
import { parseDatabaseUrl } from '../../src/db/url.ts'

interface Column {
  name: string
  type: string
  notnull: number
}

interface Reference {
  from: string
  table: string
  to: string
}

const ROWS = 3

/**
 * Puts rows into every table of an SQLite database, whatever tables there are; gives their names. Each table has a row
 * with as many values and one with as few as its constraints let it have.
 *
 * @throws Error for a table that it cannot fill.
 */
export function fillTables(url: string): string[] {
  const target = parseDatabaseUrl(url)
  using file = openFile((target.engine === 'sqlite' && target.path) || '', {
    enableForeignKeyConstraints: false,
  })
  const names = file
    .prepare(
      `select name from pragma_table_list
       where schema = 'main' and type = 'table' and substr(name, 1, 7) <> 'sqlite_'`,
    )
    .all()
    .map(({ name }) => String(name))
    .filter((name) => name !== 'vox_migrations' && name !== 'message_texts')
  for (const name of names) for (let n = 1; n <= ROWS; n++) addRow(file, name, n)
  const broken = file.prepare('pragma foreign_key_check').all()
  if (broken.length > 0) throw new Error(`rows refer to none: ${JSON.stringify(broken[0])}`)
  return names
}

function addRow(file: DatabaseSync, table: string, n: number): void {
  const columns = file.prepare('select * from pragma_table_info(?)').all(table) as unknown as Column[]
  const references = file.prepare('select * from pragma_foreign_key_list(?)').all(table) as unknown as Reference[]
  const optional = columns.filter(({ notnull }) => !notnull)
  const insert = file.prepare(
    `insert into ${table} (${columns.map(({ name }) => name).join()}) values (${columns.map(() => '?').join()})`,
  )
  let failure: unknown
  for (let choice = 0; choice < 2 ** optional.length; choice++) {
    const nulls = n === 1 ? choice : 2 ** optional.length - 1 - choice
    const leftOut = new Set(optional.filter((_, bit) => nulls & (1 << bit)).map(({ name }) => name))
    try {
      insert.run(...columns.map((column) => (leftOut.has(column.name) ? null : sample(file, column, references, n))))
      return
    } catch (error) {
      failure = error
    }
  }
  throw new Error(`cannot fill the table ${table}`, { cause: failure })
}

/** A value that a column has in the n-th row only, and that the column it refers to has in its n-th row. */
function sample(file: DatabaseSync, { name, type }: Column, references: Reference[], n: number): SQLInputValue {
  const reference = references.find(({ from }) => from === name)
  if (reference) {
    const parents = file.prepare('select * from pragma_table_info(?)').all(reference.table) as unknown as Column[]
    const parent = parents.find((column) => column.name === reference.to)
    if (parent) return sample(file, parent, [], n)
  }
  if (type.toLowerCase() === 'text') return `${name} ${n} {"ü", 'null', \\ 🎉}\n`
  if (isBooleanColumn(name)) return n % 2
  return isBigintColumn(name) ? 2n ** 60n + BigInt(n) : 1000 + n
}
