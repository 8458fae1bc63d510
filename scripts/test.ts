/**
 * Runs the tests: `npm test`, or `npm test -- path …` for some of them.
 *
 * Always on SQLite. On PostgreSQL as well if `VOX_TEST_POSTGRES_URL` names a server, or if PostgreSQL is installed, in
 * which case a throw-away server is started. `VOX_TEST_REQUIRE=sqlite,postgres` fails the run when one of them is
 * missing. Options such as `--test-name-pattern=…` go to `node --test`.
 *
 * After all tests, a declared error that none of them met fails the run.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempDisposableSync, statSync } from 'node:fs'
import { availableParallelism, tmpdir } from 'node:os'
import path from 'node:path'
import { findPostgres, postgresVersion, startPostgres } from './postgres.ts'
import { unansweredErrors } from './unanswered-errors.ts'

const ALL_TESTS = 'packages/*/test/**/*.test.ts'
const INTERRUPTED = 130

/** What Node makes of the sources, in the folder in which a server keeps it too. Each file of tests is a process. */
const COMPILE_CACHE = path.join(tmpdir(), 'node-compile-cache')

/** Many times what the tests need: whatever still runs by then hangs. */
const TIME_LIMIT_MS = 15 * 60_000

/** Why the tests cannot be run; the message is for whoever started them. */
class CannotTest extends Error {}

let tests: ChildProcess | undefined
let interrupted = false
for (const signal of ['SIGINT', 'SIGTERM'] as const)
  process.on(signal, () => {
    interrupted = true
    tests?.kill(signal)
  })

try {
  process.exitCode = await main(process.argv.slice(2))
} catch (error) {
  if (!(error instanceof CannotTest)) throw error
  console.error(error.message)
  process.exitCode = 1
}

async function main(args: string[]): Promise<number> {
  await using cleanUp = new AsyncDisposableStack()
  const postgresUrl = await providePostgres(cleanUp)
  const engines = ['SQLite', ...(postgresUrl ? [`PostgreSQL ${await postgresVersion(postgresUrl)}`] : [])].join(' and ')
  console.log(`Testing on ${engines}.`)
  const code = interrupted ? INTERRUPTED : await runAndCompare(args, postgresUrl)
  console.log(`${interrupted ? 'Interrupted' : code === 0 ? 'Passed' : 'Failed'} on ${engines}.`)
  return code
}

async function providePostgres(cleanUp: AsyncDisposableStack): Promise<string | undefined> {
  const given = process.env.VOX_TEST_POSTGRES_URL
  if (given) {
    await postgresVersion(given).catch((error) => {
      throw new CannotTest(`VOX_TEST_POSTGRES_URL is set, but that server cannot be reached: ${error.message}`)
    })
    return given
  }
  const programs = findPostgres()
  if (programs) return cleanUp.use(await startPostgres(programs)).url
  if (process.env.VOX_TEST_REQUIRE?.split(',').includes('postgres'))
    throw new CannotTest('VOX_TEST_REQUIRE asks for postgres, but PostgreSQL is neither given nor installed.')
  return undefined
}

/** Runs the tests; what all of them leave out of the declared errors is a failure as well. */
async function runAndCompare(args: string[], postgresUrl: string | undefined): Promise<number> {
  using folder = mkdtempDisposableSync(path.join(tmpdir(), 'vox-answered-errors-'))
  const code = await run(args, {
    VOX_TEST_ANSWERED_ERRORS: folder.path,
    ...(postgresUrl && { VOX_TEST_POSTGRES_URL: postgresUrl }),
  })
  if (code !== 0 || args.length > 0) return code
  const unanswered = unansweredErrors(folder.path)
  for (const error of unanswered) console.error(`Declared, and met by no test: ${error}`)
  return unanswered.length > 0 ? 1 : 0
}

async function run(args: string[], environment: Record<string, string>): Promise<number> {
  const options = [
    '--disable-warning=ExperimentalWarning',
    '--test',
    '--test-timeout=120000',
    `--test-concurrency=${Math.max(2, availableParallelism())}`,
  ]
  tests = spawn(process.execPath, [...options, ...inOrder(args)], {
    stdio: 'inherit',
    env: { NODE_COMPILE_CACHE: COMPILE_CACHE, ...process.env, ...environment },
  })
  const tooLong = setTimeout(interrupt, TIME_LIMIT_MS)
  const [code] = await once(tests, 'exit')
  clearTimeout(tooLong)
  return interrupted ? INTERRUPTED : (code ?? 1)
}

/** Makes `node --test` name the files that are still running, and end. */
function interrupt(): void {
  console.error(`The tests did not end within ${TIME_LIMIT_MS / 60_000} minutes.`)
  tests?.kill('SIGINT')
}

/** Options first, as Node wants them; then the files, folders standing for the tests inside them. */
function inOrder(args: string[]): string[] {
  const options = args.filter((arg) => arg.startsWith('-'))
  const paths = args.filter((arg) => !arg.startsWith('-'))
  const isFolder = (name: string) => statSync(name, { throwIfNoEntry: false })?.isDirectory()
  const files = paths.map((name) => (isFolder(name) ? path.join(name, '**/*.test.ts') : name))
  return [...options, ...(files.length > 0 ? files : [ALL_TESTS])]
}
