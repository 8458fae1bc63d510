import assert from 'node:assert/strict'
import { readdirSync, utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { it } from 'node:test'
import { TestClock } from '../support/clock.ts'
import { createFeed } from '../support/community.ts'
import { forEachEngine } from '../support/engines.ts'
import { eventually } from '../support/eventually.ts'
import { uploadText } from '../support/forms.ts'
import { startTestServer } from '../support/server.ts'

const HOUR_MS = 3_600_000

forEachEngine('stored objects without a row', (engine) => {
  it('go after a day, unless they are older than the database or no objects of ours', async () => {
    const start = Date.now()
    const clock = new TestClock(start)
    await using server = await startTestServer(engine, { clock })
    const ada = await server.register('ada')
    const known = await uploadText(ada, await createFeed(ada))
    const place = (name: string, storedAt: number) => {
      const path = join(server.storagePath, name)
      writeFileSync(path, '')
      utimesSync(path, storedAt / 1000, storedAt / 1000)
    }
    const [orphan, older, other] = ['orphanorphanorphanorph', 'olderolderolderolderol', 'incoming/abandoned']
    place(orphan, start + 1000)
    place(older, start - 1000)
    place(other, start + 1000)
    place('README', start + 1000)
    const left = () => readdirSync(server.storagePath, { recursive: true }).map(String)
    await eventually(async () => {
      clock.advance(HOUR_MS)
      assert.ok(!left().includes(orphan) && !left().includes(other))
    })
    assert.ok(clock.now() >= start + 24 * HOUR_MS)
    assert.deepEqual(left().sort(), ['README', 'incoming', known, older].sort())
  })
})
