import { Worker } from 'node:worker_threads'
import type { QueryResult } from 'kysely'
import { DatabaseUnavailable } from './database.ts'
import type { Execute } from './dialect.ts'

/** What the thread is asked; its answers come in the same order. */
export interface AsideQuestion {
  sql: string
  parameters: readonly unknown[]
}

/** What the thread answers. */
export type AsideAnswer = { result: QueryResult<unknown> } | { error: unknown; unavailable: boolean }

type Waiting = PromiseWithResolvers<QueryResult<unknown>>

/**
 * Reads an SQLite file in a thread of its own. `node:sqlite` answers on the spot, so a query that looks at a million
 * rows would keep everybody else waiting. The thread begins with the first question.
 */
export class AsideReader implements AsyncDisposable {
  readonly #path: string
  /** In the order of the questions. */
  #waiting: Waiting[] = []
  #thread: Worker | undefined

  constructor(path: string) {
    this.#path = path
  }

  readonly execute: Execute = <R>({ sql, parameters }: AsideQuestion): Promise<QueryResult<R>> => {
    this.#thread ??= this.#begin()
    const waiting = Promise.withResolvers<QueryResult<unknown>>()
    this.#waiting.push(waiting)
    this.#thread.postMessage({ sql, parameters } satisfies AsideQuestion)
    return waiting.promise as Promise<QueryResult<R>>
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#thread?.terminate()
  }

  #begin(): Worker {
    const thread = new Worker(new URL('aside-thread.ts', import.meta.url), { workerData: this.#path })
    thread.on('message', (answer: AsideAnswer) => settle(this.#waiting.shift(), answer))
    let cause: unknown
    thread.on('error', (error) => {
      cause = error
    })
    thread.on('exit', () => {
      this.#thread = undefined
      for (const { reject } of this.#waiting.splice(0)) reject(new DatabaseUnavailable(cause))
    })
    return thread
  }
}

function settle(waiting: Waiting | undefined, answer: AsideAnswer): void {
  if ('result' in answer) waiting?.resolve(answer.result)
  else waiting?.reject(answer.unavailable ? new DatabaseUnavailable(answer.error) : answer.error)
}
