/** A process that opens the database it is given, says so, and holds it until it is killed. */
import { openTestDatabase } from './database.ts'

await openTestDatabase(process.argv[2] ?? '')
console.log('open')
setInterval(() => {}, 60_000)
