import { type RawBuilder, sql } from 'kysely'
import type { EngineName } from '../db/dialect.ts'
import { type Side, select } from './side.ts'

/** A table as it is found in a database. */
export interface Table {
  name: string
  /** In the order of their names, without those that the engine computes. */
  columns: readonly Column[]
  /** The columns of the primary key, in its order. */
  key: readonly string[]
  /** The column whose values the engine issues, if it has one. */
  issued: string | undefined
}

export interface Column {
  name: string
  /** As the engine calls it. */
  type: string
}

/** What the database says of itself or derives from other tables, and no data. */
const BOOKKEEPING = new Set(['vox_migrations', 'vox_transfer', 'message_texts'])

/** The tables with data, each after those that its foreign keys refer to. */
export async function tablesOf(side: Side): Promise<Table[]> {
  const found = await select(side, COLUMNS[side.engine])
  const names = new Set(found.map(({ table_name: name }) => name).filter((name) => !BOOKKEEPING.has(name)))
  const parents = Map.groupBy(await select(side, PARENTS[side.engine]), ({ table_name: name }) => name)
  const columns = Map.groupBy(found, ({ table_name: name }) => name)
  return inOrder(names, (name) => (parents.get(name) ?? []).map(({ parent }) => parent)).map((name) =>
    tableOf(name, columns.get(name) ?? []),
  )
}

/** Whether rows of one can be rows of the other. */
export function sameShape(one: Table, other: Table): boolean {
  const shape = ({ name, columns, key, issued }: Table) =>
    JSON.stringify([name, columns.map((column) => column.name), key, issued])
  return shape(one) === shape(other)
}

function tableOf(name: string, found: FoundColumn[]): Table {
  const key = found.filter(({ key_position: position }) => position > 0)
  return {
    name,
    columns: found
      .map(({ column_name: column, type }) => ({ name: column, type }))
      .sort((a, b) => (a.name < b.name ? -1 : 1)),
    key: key.sort((a, b) => a.key_position - b.key_position).map(({ column_name: column }) => column),
    issued: found.find(({ issued }) => issued)?.column_name,
  }
}

/** Parents first; those without any in the order of their names. */
function inOrder(names: ReadonlySet<string>, parentsOf: (name: string) => string[]): string[] {
  const ordered = new Set<string>()
  const add = (name: string, path: readonly string[]) => {
    if (path.includes(name)) throw new Error(`tables refer to each other in a circle: ${path.join(', ')}`)
    for (const parent of parentsOf(name)) if (parent !== name) add(parent, [...path, name])
    ordered.add(name)
  }
  for (const name of [...names].sort()) add(name, [])
  return [...ordered]
}

interface FoundColumn {
  table_name: string
  column_name: string
  type: string
  /** From 1; 0 outside of the primary key. */
  key_position: number
  issued: number | boolean
}

interface Parent {
  table_name: string
  parent: string
}

const COLUMNS: Record<EngineName, RawBuilder<FoundColumn>> = {
  sqlite: sql`
    select t.name as table_name, c.name as column_name, c.type, c.pk as key_position,
      c.pk = 1 and m.sql like '%autoincrement%' as issued
    from pragma_table_list t join sqlite_master m on m.name = t.name join pragma_table_xinfo(t.name) c
    where t.schema = 'main' and t.type = 'table' and t.name not like 'sqlite\\_%' escape '\\' and c.hidden = 0`,
  postgres: sql`
    select t.relname as table_name, c.attname as column_name, format_type(c.atttypid, c.atttypmod) as type,
      coalesce(array_position(k.conkey, c.attnum), 0) as key_position, c.attidentity <> '' as issued
    from pg_class t join pg_attribute c on c.attrelid = t.oid
      left join pg_constraint k on k.conrelid = t.oid and k.contype = 'p'
    where t.relnamespace = current_schema()::regnamespace and t.relkind = 'r'
      and c.attnum > 0 and not c.attisdropped and c.attgenerated = ''`,
}

const PARENTS: Record<EngineName, RawBuilder<Parent>> = {
  sqlite: sql`
    select distinct t.name as table_name, f."table" as parent
    from pragma_table_list t join pragma_foreign_key_list(t.name) f
    where t.schema = 'main' and t.type = 'table'`,
  postgres: sql`
    select distinct t.relname as table_name, p.relname as parent
    from pg_constraint f join pg_class t on t.oid = f.conrelid join pg_class p on p.oid = f.confrelid
    where f.contype = 'f' and t.relnamespace = current_schema()::regnamespace`,
}
