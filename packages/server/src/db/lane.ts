import { setImmediate as endOfTurn } from 'node:timers/promises'
import type { CompiledQuery, Kysely, QueryResult } from 'kysely'
import { DatabaseUnavailable, type Tx } from './database.ts'
import { type Execute, queriesOver } from './dialect.ts'
import type { Schema } from './schema.ts'
import { CommitInDoubt, type Writer } from './writer.ts'

/** Jobs that may share a commit: enough to make its cost vanish, few enough not to keep the first one waiting. */
const MAX_BATCH = 64

type Effect = () => void

/** What the lane has to do, for the metrics. */
export interface LaneStats {
  /** Jobs that wait for their turn. */
  waiting: number
  /** Since the start: jobs that were committed, and the commits that they shared. */
  jobs: number
  commits: number
  /** Seconds that the committed jobs took in all, from the call to the commit. */
  seconds: number
  /** Jobs that failed because the database could not be reached, or did not commit. */
  lost: number
}

/** A job that waits for its turn. */
interface Job {
  /** Resolves to what fulfils the caller's promise. */
  run(tx: Tx): Promise<() => void>
  reject(error: unknown): void
}

/** A job that has run and waits for the commit. */
interface Done {
  failed: boolean
  sealed: boolean
  effects: Effect[]
  /** Tells the caller what came of the job … */
  settle(): void
  /** … unless the commit fails. */
  reject(error: unknown): void
}

/**
 * The one lane in which everything is written. Jobs run strictly one after another, so a check inside a job never
 * races another job, and the order of commits, of the ids taken inside jobs and of the events published after them is
 * one and the same. Being alone is also what makes sharing safe: jobs that wait while a transaction is open join it,
 * each behind a savepoint, so that the price of a commit (a sync to disk, a round trip) is paid once for all of them.
 * Nobody hears of a job's outcome, be it success or failure, and no effect runs before that commit: until then a job
 * may have decided on what an earlier one of its batch wrote, and stands or falls with it.
 */
export class WriteLane {
  readonly #writer: Writer
  readonly #onError: (error: unknown) => void
  readonly #waiting: Job[] = []
  #running: Promise<void> | undefined
  #closed = false
  readonly #stats = { jobs: 0, commits: 0, seconds: 0, lost: 0 }
  /** A commit whose answer was lost. If it happened after all, its effects run late rather than never. */
  #inDoubt: { commit: CommitInDoubt; effects: Effect[] } | undefined

  /** `onError` hears of effects that throw. */
  constructor(writer: Writer, onError: (error: unknown) => void) {
    this.#writer = writer
    this.#onError = onError
  }

  write<T>(job: (tx: Tx) => Promise<T>): Promise<T> {
    if (this.#closed) return Promise.reject(new DatabaseUnavailable(new Error('the database is closed')))
    const { promise, resolve, reject } = Promise.withResolvers<T>()
    const askedAt = performance.now()
    const run = async (tx: Tx) => {
      const value = await job(tx)
      return () => {
        this.#stats.jobs++
        this.#stats.seconds += (performance.now() - askedAt) / 1000
        resolve(value)
      }
    }
    this.#waiting.push({ run, reject })
    this.#running ??= this.#runAll()
    return promise
  }

  get stats(): LaneStats {
    return { waiting: this.#waiting.length, ...this.#stats }
  }

  /** Takes no more jobs; resolves when the last one is done. */
  async close(): Promise<void> {
    this.#closed = true
    await this.#running
  }

  async #runAll(): Promise<void> {
    while (this.#waiting.length > 0) {
      // Requests that came in the same turn of the event loop are still on their way here; they share the commit.
      await endOfTurn()
      await this.#runBatch()
    }
    this.#running = undefined
  }

  async #runBatch(): Promise<void> {
    try {
      await this.#resolveDoubt()
      await this.#writer.begin()
    } catch (error) {
      this.#lose(this.#waiting.splice(0), error)
      return
    }
    const batch: Done[] = []
    try {
      await this.#fillAndCommit(batch)
    } catch (error) {
      await this.#writer.rollback()
      if (error instanceof CommitInDoubt) this.#inDoubt = { commit: error, effects: effectsOf(batch) }
      this.#lose(batch, error)
      return
    }
    this.#stats.commits++
    this.#runEffects(effectsOf(batch))
    for (const done of batch) done.settle()
  }

  #lose(jobs: readonly Pick<Job, 'reject'>[], error: unknown): void {
    this.#stats.lost += jobs.length
    for (const job of jobs) job.reject(unavailable(error))
  }

  /** Runs the jobs that wait and those that come meanwhile. The first needs no savepoint: with it goes everything. */
  async #fillAndCommit(batch: Done[]): Promise<void> {
    for (let job = this.#waiting.shift(); job; job = isOpen(batch) ? this.#waiting.shift() : undefined) {
      const isFirst = batch.length === 0
      const marked = isFirst ? undefined : this.#writer.savepoint()
      marked?.catch(() => {}) // heard of below; until then the job need not wait for it
      const done = await this.#runJob(job)
      batch.push(done)
      await marked
      if (!done.failed) continue
      if (isFirst) return this.#writer.rollback()
      await this.#writer.undo()
    }
    await this.#writer.commit()
  }

  async #runJob({ run, reject }: Job): Promise<Done> {
    const tx = new JobTx(this.#writer)
    try {
      const settle = await run(tx)
      tx.assertNothingFailed()
      return { failed: false, sealed: tx.sealed, effects: tx.effects, settle, reject }
    } catch (error) {
      return { failed: true, sealed: false, effects: [], settle: () => reject(error), reject }
    } finally {
      tx.over = true
    }
  }

  async #resolveDoubt(): Promise<void> {
    if (!this.#inDoubt) return
    const { commit, effects } = this.#inDoubt
    const committed = await commit.wasCommitted()
    this.#inDoubt = undefined
    if (committed) this.#runEffects(effects)
  }

  #runEffects(effects: Effect[]): void {
    for (const effect of effects) {
      try {
        effect()
      } catch (error) {
        this.#onError(error)
      }
    }
  }
}

/** Whether the batch takes another job. */
const isOpen = (batch: Done[]): boolean => batch.length < MAX_BATCH && !batch.at(-1)?.sealed

const effectsOf = (batch: Done[]): Effect[] => batch.flatMap((done) => done.effects)

const unavailable = (error: unknown): DatabaseUnavailable =>
  error instanceof DatabaseUnavailable ? error : new DatabaseUnavailable(error)

/** What one job sees of the transaction, for as long as it runs: a query begun later would fall into another job. */
class JobTx implements Tx {
  readonly db: Kysely<Schema>
  readonly effects: Effect[] = []
  sealed = false
  over = false
  readonly #writer: Writer
  #failure: { error: unknown } | undefined

  constructor(writer: Writer) {
    this.#writer = writer
    this.db = queriesOver(writer.engine, this.#execute)
  }

  afterCommit(effect: Effect): void {
    this.#assertRunning()
    this.effects.push(effect)
  }

  seal(): void {
    this.#assertRunning()
    this.sealed = true
  }

  /** PostgreSQL goes on with nothing after a query failed, so a job cannot save itself by catching the error. */
  assertNothingFailed(): void {
    if (this.#failure) throw this.#failure.error
  }

  readonly #execute: Execute = async <R>(query: CompiledQuery): Promise<QueryResult<R>> => {
    this.#assertRunning()
    try {
      return await this.#writer.execute(query)
    } catch (error) {
      this.#failure ??= { error }
      throw error
    }
  }

  #assertRunning(): void {
    if (this.over) throw new Error('the job is over')
  }
}
