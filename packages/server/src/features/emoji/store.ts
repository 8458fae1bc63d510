import type { Kysely } from 'kysely'
import type { Schema } from '../../db/schema.ts'
import type { PictureList } from './lists.ts'

/*
 * The tables of emoji and stickers have the same columns but for the name of the id, so queries are typed for one of
 * them and run on either.
 */

/** A picture's row, without the id the database gives it. */
interface NewPicture {
  name: string
  file_id: string
  creator_id: number
}

/** Pictures of a list with the URLs of their images. */
export function pictures(db: Kysely<Schema>, { table, idColumn }: PictureList) {
  return db
    .selectFrom(`${table} as picture` as 'emoji as picture')
    .innerJoin('files', 'files.file_id', 'picture.file_id')
    .select(`picture.${idColumn} as id` as 'picture.emoji_id as id')
    .select(['picture.name', 'picture.creator_id', 'files.url as image'])
}

/** Pictures of a list after an id, in the order of their ids. */
export function page(db: Kysely<Schema>, list: PictureList, { after, limit }: { after: number; limit: number }) {
  return pictures(db, list).where(columnOfId(list), '>', after).orderBy(columnOfId(list)).limit(limit).execute()
}

/** One picture, with the file that is its image. */
export function findPicture(db: Kysely<Schema>, list: PictureList, id: number) {
  return pictures(db, list).select('picture.file_id').where(columnOfId(list), '=', id).executeTakeFirst()
}

/** Whether a list has a picture of this name. */
export async function isTaken(db: Kysely<Schema>, list: PictureList, name: string): Promise<boolean> {
  return (await pictures(db, list).where('picture.name', '=', name).executeTakeFirst()) !== undefined
}

/** How many pictures a list has. */
export async function count(db: Kysely<Schema>, { table }: PictureList): Promise<number> {
  const { total } = await db
    .selectFrom(table as 'emoji')
    .select(({ fn }) => fn.countAll<number>().as('total'))
    .executeTakeFirstOrThrow()
  return total
}

/** Adds a picture; returns its id. */
export async function insert(db: Kysely<Schema>, { table, idColumn }: PictureList, row: NewPicture): Promise<number> {
  const { id } = await db
    .insertInto(table as 'emoji')
    .values(row)
    .returning(`${idColumn} as id` as 'emoji_id as id')
    .executeTakeFirstOrThrow()
  return id
}

export async function rename(db: Kysely<Schema>, { table, idColumn }: PictureList, id: number, name: string) {
  await db
    .updateTable(table as 'emoji')
    .set({ name })
    .where(idColumn as 'emoji_id', '=', id)
    .execute()
}

export async function remove(db: Kysely<Schema>, { table, idColumn }: PictureList, id: number): Promise<void> {
  await db
    .deleteFrom(table as 'emoji')
    .where(idColumn as 'emoji_id', '=', id)
    .execute()
}

const columnOfId = ({ idColumn }: PictureList) => `picture.${idColumn}` as 'picture.emoji_id'
