/** The thread of aside.ts: answers questions to the database file it was given, one after the other. */
import { parentPort, workerData } from 'node:worker_threads'
import type { CompiledQuery } from 'kysely'
import type { AsideAnswer, AsideQuestion } from './aside.ts'
import { DatabaseUnavailable } from './database.ts'
import { SqliteConnection } from './sqlite.ts'

const connection = new SqliteConnection(workerData, { readOnly: true })

async function answer(question: AsideQuestion): Promise<AsideAnswer> {
  try {
    return { result: await connection.execute(question as CompiledQuery) }
  } catch (error) {
    const unavailable = error instanceof DatabaseUnavailable
    return { error: unavailable ? error.cause : error, unavailable }
  }
}

parentPort?.on('message', async (question: AsideQuestion) => parentPort?.postMessage(await answer(question)))
