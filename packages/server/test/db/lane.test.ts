import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { DatabaseUnavailable, type Tx } from '../../src/db/database.ts'
import { queriesOver } from '../../src/db/dialect.ts'
import { WriteLane } from '../../src/db/lane.ts'
import { migrate } from '../../src/db/migrate.ts'
import { SqliteWriter } from '../../src/db/sqlite.ts'

/** A writer that fails once, at the step it is told to. */
class FaultyWriter extends SqliteWriter {
  readonly fault = new Error('fault')
  failAt: 'begin' | 'savepoint' | 'undo' | 'commit' | undefined

  override async begin() {
    this.#failAt('begin')
    await super.begin()
  }

  override async savepoint() {
    this.#failAt('savepoint')
    await super.savepoint()
  }

  override async undo() {
    this.#failAt('undo')
    await super.undo()
  }

  override async commit() {
    this.#failAt('commit')
    await super.commit()
  }

  #failAt(step: typeof this.failAt) {
    if (this.failAt !== step) return
    this.failAt = undefined
    throw this.fault
  }
}

/** A lane of three jobs, of which the second fails by itself. */
async function run(failAt: FaultyWriter['failAt']) {
  using writer = new FaultyWriter(':memory:')
  await migrate(writer)
  const lane = new WriteLane(writer, assert.ifError)
  const effects: string[] = []
  const job = (name: string) => async (tx: Tx) => {
    tx.afterCommit(() => effects.push(name))
    await tx.db.insertInto('server_marks').values({ name }).execute()
    if (name === 'b') throw new Error('b fails')
    return name
  }
  writer.failAt = failAt
  const outcomes = await Promise.allSettled(['a', 'b', 'c'].map((name) => lane.write(job(name))))
  await lane.write(job('d'))
  const rows = await queriesOver('sqlite', writer.execute).selectFrom('server_marks').select('name').execute()
  return {
    outcomes: outcomes.map((outcome) =>
      outcome.status === 'fulfilled' ? outcome.value : describeError(outcome.reason),
    ),
    effects,
    marks: rows.map(({ name }) => name),
  }
}

const describeError = (error: unknown) =>
  error instanceof DatabaseUnavailable ? `unavailable: ${(error.cause as Error).message}` : String(error)

const unavailable = 'unavailable: fault'

describe('the lane of a writer', () => {
  it('that does not fail commits what succeeded', async () => {
    assert.deepEqual(await run(undefined), {
      outcomes: ['a', 'Error: b fails', 'c'],
      effects: ['a', 'c', 'd'],
      marks: ['a', 'c', 'd'],
    })
  })

  it('that cannot begin rejects all that wait, and works again afterwards', async () => {
    assert.deepEqual(await run('begin'), {
      outcomes: [unavailable, unavailable, unavailable],
      effects: ['d'],
      marks: ['d'],
    })
  })

  it('whose commit fails rejects the whole batch, and has none of its effects', async () => {
    assert.deepEqual(await run('commit'), {
      outcomes: [unavailable, unavailable, unavailable],
      effects: ['d'],
      marks: ['d'],
    })
  })

  for (const step of ['savepoint', 'undo'] as const)
    it(`whose ${step} fails rejects the jobs so far, and runs the others`, async () => {
      assert.deepEqual(await run(step), {
        outcomes: [unavailable, unavailable, 'c'],
        effects: ['c', 'd'],
        marks: ['c', 'd'],
      })
    })
})
