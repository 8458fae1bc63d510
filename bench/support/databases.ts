import { mkdtempDisposable } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { findPostgres, startPostgres } from '../../scripts/postgres.ts'

/** An empty database to measure on. */
export interface BenchDatabase {
  engine: 'SQLite' | 'PostgreSQL'
  url: string
}

/**
 * The databases to measure, one after the other, each gone when the next one is asked for: the one that
 * `VOX_BENCH_DATABASE_URL` names, or else an SQLite file and, where it is installed, a throw-away PostgreSQL.
 */
export async function* benchDatabases(): AsyncGenerator<BenchDatabase> {
  const given = process.env.VOX_BENCH_DATABASE_URL
  if (given) return yield { engine: given.startsWith('sqlite') ? 'SQLite' : 'PostgreSQL', url: given }
  {
    await using folder = await mkdtempDisposable(join(tmpdir(), 'vox-bench-'))
    yield { engine: 'SQLite', url: `sqlite:///${join(folder.path, 'vox.db')}` }
  }
  const programs = findPostgres()
  if (!programs) return
  await using postgres = await startPostgres(programs)
  yield { engine: 'PostgreSQL', url: postgres.url }
}
