import assert from 'node:assert/strict'
import { after, before, it } from 'node:test'
import { type Database, DatabaseUnavailable, type Tx } from '../../src/db/database.ts'
import { addUser, openTestDatabase } from '../support/database.ts'
import { forEachEngine } from '../support/engines.ts'

class Refused extends Error {}

const mark = (name: string) => async (tx: Tx) => {
  await tx.db.insertInto('server_marks').values({ name }).execute()
}

const marks = async (database: Database, prefix: string) => {
  const rows = await database.read
    .selectFrom('server_marks')
    .select('name')
    .where('name', 'like', `${prefix}%`)
    .execute()
  return rows.map(({ name }) => name).sort()
}

forEachEngine('writing', (engine) => {
  const thrown: unknown[] = []
  let database: Database
  before(async () => {
    database = await openTestDatabase(await engine.freshUrl(), { onError: (error) => thrown.push(error) })
  })
  after(() => database.close())

  it('gives what the job returns, and what it wrote can be read', async () => {
    const user_id = await database.write((tx) => addUser(tx, 'ada'))
    const row = await database.read.selectFrom('users').select('username').where('user_id', '=', user_id).execute()
    assert.deepEqual(row, [{ username: 'ada' }])
  })

  it('runs jobs one after another, in the order of the calls', async () => {
    const steps: string[] = []
    const job = (name: string) => async (tx: Tx) => {
      steps.push(`${name} begins`)
      await mark(`order ${name}`)(tx)
      await marks(database, 'nothing')
      steps.push(`${name} ends`)
    }
    await Promise.all(['a', 'b', 'c'].map((name) => database.write(job(name))))
    assert.deepEqual(steps, ['a begins', 'a ends', 'b begins', 'b ends', 'c begins', 'c ends'])
  })

  it('lets a job see what earlier jobs of its batch wrote', async () => {
    const count = async (tx: Tx) => {
      const rows = await tx.db.selectFrom('server_marks').where('name', 'like', 'seen%').select('name').execute()
      await mark(`seen ${rows.length}`)(tx)
      return rows.length
    }
    assert.deepEqual(await Promise.all(Array.from({ length: 5 }, () => database.write(count))), [0, 1, 2, 3, 4])
  })

  for (const failing of [0, 1, 4])
    it(`undoes job ${failing} of five, which fails, and no other`, async () => {
      const prefix = `undo ${failing}`
      const outcomes = await Promise.allSettled(
        [0, 1, 2, 3, 4].map((index) =>
          database.write(async (tx) => {
            await mark(`${prefix} ${index}`)(tx)
            if (index === failing) throw new Refused()
          }),
        ),
      )
      const survivors = [0, 1, 2, 3, 4].filter((index) => index !== failing)
      assert.deepEqual(
        await marks(database, prefix),
        survivors.map((index) => `${prefix} ${index}`),
      )
      for (const [index, outcome] of outcomes.entries())
        if (index === failing) assert.ok(outcome.status === 'rejected' && outcome.reason instanceof Refused)
        else assert.equal(outcome.status, 'fulfilled')
    })

  it('undoes several failing jobs in a row', async () => {
    const outcomes = await Promise.allSettled(
      Array.from({ length: 6 }, (_, index) =>
        database.write(async (tx) => {
          await mark(`row ${index}`)(tx)
          if (index === 2 || index === 3 || index === 5) throw new Refused()
        }),
      ),
    )
    assert.deepEqual(
      outcomes.map(({ status }) => status === 'fulfilled'),
      [true, true, false, false, true, false],
    )
    assert.deepEqual(await marks(database, 'row'), ['row 0', 'row 1', 'row 4'])
  })

  it('fails a job whose query failed, even if the job goes on', async () => {
    const [first, second, third] = await Promise.allSettled([
      database.write(mark('caught')),
      database.write(async (tx) => {
        await mark('caught, other')(tx)
        await mark('caught')(tx).catch(() => {})
      }),
      database.write(mark('caught, after')),
    ])
    assert.equal(first.status, 'fulfilled')
    assert.ok(second.status === 'rejected' && /unique/i.test(String(second.reason)))
    assert.equal(third.status, 'fulfilled')
    assert.deepEqual(await marks(database, 'caught'), ['caught', 'caught, after'])
  })

  it('answers queries a job makes side by side', async () => {
    const users = await database.write((tx) => Promise.all(['x', 'y', 'z'].map((name) => addUser(tx, `side ${name}`))))
    assert.equal(new Set(users).size, 3)
  })

  it('shows nobody what is not committed', async () => {
    const inside = Promise.withResolvers<void>()
    const looked = Promise.withResolvers<void>()
    const written = database.write(async (tx) => {
      await mark('secret')(tx)
      inside.resolve()
      await looked.promise
    })
    await inside.promise
    assert.deepEqual(await marks(database, 'secret'), [])
    looked.resolve()
    await written
    assert.deepEqual(await marks(database, 'secret'), ['secret'])
  })

  it('runs effects after the commit, in order, before the promises resolve and before the next batch', async () => {
    const steps: string[] = []
    const job = (name: string) => async (tx: Tx) => {
      steps.push(`job ${name}`)
      tx.afterCommit(() => steps.push(`first effect of ${name}`))
      await mark(`effects ${name}`)(tx)
      tx.afterCommit(() => steps.push(`second effect of ${name}`))
    }
    const note = (name: string) => () => steps.push(`${name} resolved`)
    await Promise.all([database.write(job('a')).then(note('a')), database.write(job('b')).then(note('b'))])
    assert.deepEqual(steps, [
      'job a',
      'job b',
      'first effect of a',
      'second effect of a',
      'first effect of b',
      'second effect of b',
      'a resolved',
      'b resolved',
    ])
  })

  it('ends the batch with a job that sealed it, so that the next one begins after its effects', async () => {
    const steps: string[] = []
    const job = (name: string, seal: boolean) => async (tx: Tx) => {
      steps.push(`job ${name}`)
      if (seal) tx.seal()
      await mark(`seal ${name}`)(tx)
      tx.afterCommit(() => steps.push(`effect of ${name}`))
    }
    await Promise.all([
      database.write(job('a', false)),
      database.write(job('b', true)),
      database.write(job('c', false)),
      database.write(job('d', false)),
    ])
    assert.deepEqual(steps, [
      'job a',
      'job b',
      'effect of a',
      'effect of b',
      'job c',
      'job d',
      'effect of c',
      'effect of d',
    ])
  })

  it('runs no effects of a job that fails', async () => {
    const effects: string[] = []
    await Promise.allSettled([
      database.write(async (tx) => tx.afterCommit(() => effects.push('good'))),
      database.write(async (tx) => {
        tx.afterCommit(() => effects.push('bad'))
        throw new Refused()
      }),
    ])
    assert.deepEqual(effects, ['good'])
  })

  it('reports an effect that throws and goes on', async () => {
    const effects: string[] = []
    const fault = new Error('effect')
    await database.write(async (tx) => {
      tx.afterCommit(() => {
        throw fault
      })
      tx.afterCommit(() => effects.push('next'))
    })
    await database.write(async (tx) => tx.afterCommit(() => effects.push('later')))
    assert.deepEqual(thrown, [fault])
    assert.deepEqual(effects, ['next', 'later'])
  })

  it('takes any number of jobs, more than one batch holds too', async () => {
    const jobs = Array.from({ length: 300 }, (_, index) => database.write(mark(`many ${index}`)))
    await Promise.all(jobs)
    assert.equal((await marks(database, 'many')).length, 300)
  })

  it('a job may start another, which runs later', async () => {
    const steps: string[] = []
    let inner: Promise<void> | undefined
    await database.write(async (tx) => {
      inner = database.write(async () => void steps.push('inner'))
      await mark('outer')(tx)
      steps.push('outer')
    })
    await inner
    assert.deepEqual(steps, ['outer', 'inner'])
  })

  it('gives a job nothing after it is over', async () => {
    const tx = await database.write(async (tx) => tx)
    await assert.rejects(mark('late')(tx), /the job is over/)
    assert.throws(() => tx.afterCommit(() => {}), /the job is over/)
    assert.throws(() => tx.seal(), /the job is over/)
    assert.deepEqual(await marks(database, 'late'), [])
  })

  it('makes no other transactions', async () => {
    const nested = database.write((tx) => tx.db.transaction().execute(() => Promise.resolve()))
    await assert.rejects(nested, /made by Database.write only/)
    await assert.rejects(
      database.read.transaction().execute(() => Promise.resolve()),
      /made by Database.write only/,
    )
  })

  it('happens in jobs only: `read` refuses to write', async () => {
    await assert.rejects(database.read.insertInto('server_marks').values({ name: 'sneaky' }).execute(), /read-?only/i)
    assert.deepEqual(await marks(database, 'sneaky'), [])
  })

  it('streams no results', async () => {
    await assert.rejects(Array.fromAsync(database.read.selectFrom('users').selectAll().stream()), /page by page/)
  })
})

forEachEngine('a database', (engine) => {
  it('answers a ping until it is closed', async () => {
    const database = await openTestDatabase(await engine.freshUrl())
    assert.equal(database.engine, engine.name)
    await database.ping()
    await database.close()
    await assert.rejects(database.ping())
  })

  it('finishes its jobs before it closes, and takes no more', async () => {
    const url = await engine.freshUrl()
    const database = await openTestDatabase(url)
    const jobs = Promise.all(['a', 'b', 'c'].map((name) => database.write(mark(name))))
    await database.close()
    await jobs
    await assert.rejects(database.write(mark('d')), DatabaseUnavailable)
    await database.close()
    await using again = await openTestDatabase(url)
    assert.deepEqual(await marks(again, ''), ['a', 'b', 'c'])
  })
})
