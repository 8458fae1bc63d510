import { Dictionary, Fields, Integer, Maybe, OneOf, type Static, Text } from '@vox/protocol'

/** Name of the entry that says what the others are. It is the last one, so an archive without it is not whole. */
export const MANIFEST = 'manifest.json'

/** The entry with the database, by the engine it comes from. */
export const DATABASE_ENTRY = { sqlite: 'database.sqlite', postgres: 'database.pgdump' } as const

/** Folder of the entries with uploaded files. */
export const UPLOADS = 'uploads/'

/** What an archive says of itself. */
export const Manifest = Fields({
  /** Raised when older programs could not read the archive. */
  format: Integer(1, 1),
  /** Version of Vox that made it. */
  vox: Text(),
  /** ISO 8601. */
  created_at: Text(),
  engine: OneOf('sqlite', 'postgres'),
  /** PostgreSQL: the schema that the tables are in, and the version of the program that wrote them down. */
  postgres: Maybe(Fields({ schema: Text(), pg_dump: Integer(1) })),
  /** Whether uploaded files are in the archive, or in a bucket of their own. */
  uploads: OneOf('local', 's3'),
  entries: Dictionary(Fields({ size: Integer(0), sha256: Text() })),
})
export type Manifest = Static<typeof Manifest>

/** What is known of an entry. */
export type EntryFacts = Manifest['entries'][string]
