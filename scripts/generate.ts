/** Writes the files that follow from the code: `npm run generate`. A test fails when they are stale. */
import { readFileSync, writeFileSync } from 'node:fs'
import { eventReference } from '@vox/protocol'
import { envExample, withReference } from '../packages/server/src/config/reference.ts'

const root = new URL('../', import.meta.url)

writeFileSync(new URL('.env.example', root), envExample())

const page = new URL('docs/configuration.md', root)
writeFileSync(page, withReference(readFileSync(page, 'utf8')))

writeFileSync(new URL('docs/gateway-events.md', root), eventReference())
