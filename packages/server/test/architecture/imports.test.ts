import assert from 'node:assert/strict'
import { globSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { describe, it } from 'node:test'

const PACKAGES = path.resolve(import.meta.dirname, '../../..')

/** One file importing another module; our own files as paths below `packages`, the rest as it is written. */
interface Import {
  file: string
  module: string
}

const STATEMENT = /(?:^(?:import|export)\b[^'=(]*|\bimport\()'([^']+)'/gm

const modulesIn = (source: string): string[] => [...source.matchAll(STATEMENT)].map(([, module = '']) => module)

function importsOf(file: string): Import[] {
  return modulesIn(readFileSync(path.join(PACKAGES, file), 'utf8')).map((module) => ({
    file,
    module: module.startsWith('.') ? path.join(path.dirname(file), module) : module,
  }))
}

const imports = globSync('*/{src,test}/**/*.{ts,tsx}', { cwd: PACKAGES }).flatMap(importsOf)

/** Asserts that no import is of this kind; what remains names the offenders. */
function none(isForbidden: (use: Import) => boolean): void {
  const offenders = imports.filter(isForbidden).map(({ file, module }) => `${file} imports ${module}`)
  assert.deepEqual(offenders, [])
}

const ofPackage = (name: string) => (use: Import) => use.file.startsWith(`${name}/src/`)
const packageOf = (file: string) => file.split('/')[0]

/** Name of our package that a module belongs to. */
function ours(module: string): string | undefined {
  return /^@vox\/([^/]+)/.exec(module)?.[1] ?? (/^[^@/]+\/(src|test)\//.test(module) ? packageOf(module) : undefined)
}

describe('the reading of imports', () => {
  it('finds them in every form, and nothing else', () => {
    const source = [
      "import 'a'",
      "import b from 'b'",
      "import type { C } from 'c'",
      "import {\n  d,\n  type D,\n} from 'd'",
      "export * from 'e'",
      "export { f } from 'f'",
      "  const g = await import('g')",
      "export const h = 'no'",
      "export type I = 'no' | 'never'",
      "export function j(k = 'no') {}",
    ]
    assert.deepEqual(modulesIn(source.join('\n')), ['a', 'b', 'c', 'd', 'e', 'f', 'g'])
  })
})

describe('the packages', () => {
  const MAY_IMPORT: Readonly<Record<string, readonly string[]>> = {
    protocol: [],
    server: ['protocol'],
    client: ['protocol'],
    web: ['client', 'protocol'],
  }

  it('are seen by this test', () => {
    for (const name of ['protocol', 'server']) assert.ok(imports.some(ofPackage(name)), name)
    assert.ok(imports.some(({ module }) => module === '@vox/protocol'))
    assert.ok(imports.some(({ module }) => module === 'protocol/src/limits.ts'))
  })

  for (const [name, allowed] of Object.entries(MAY_IMPORT))
    it(`let ${name} import ${allowed.join(' and ') || 'none'} of our other packages`, () => {
      none((use) => {
        const target = ours(use.module)
        return ofPackage(name)(use) && target !== undefined && target !== name && !allowed.includes(target)
      })
    })

  it('import one another by name, not by path', () => {
    none(
      ({ file, module }) =>
        !module.startsWith('@') && ours(module) !== undefined && packageOf(module) !== packageOf(file),
    )
  })

  it('are all listed here', () => {
    const present = globSync('*/package.json', { cwd: PACKAGES }).map((file) => path.dirname(file))
    assert.deepEqual(
      present.filter((name) => !(name in MAY_IMPORT)),
      [],
    )
  })
})

describe('protocol', () => {
  it('runs in a browser too: it imports nothing of Node', () => {
    none((use) => ofPackage('protocol')(use) && use.module.startsWith('node:'))
  })
})

describe('the server', () => {
  const featureOf = (file: string) => /^server\/src\/features\/([^/]+)/.exec(file)?.[1]

  it('keeps a store to its own feature', () => {
    none(({ file, module }) => {
      const isStore = path.basename(module).startsWith('store') && featureOf(module) !== undefined
      return isStore && ofPackage('server')({ file, module }) && featureOf(module) !== featureOf(file)
    })
  })

  it('has one composition root, which only the command line starts', () => {
    none((use) => {
      const isStart = use.file === 'server/src/main.ts' || use.file.startsWith('server/src/cli/')
      return ofPackage('server')(use) && use.module === 'server/src/server.ts' && !isStart
    })
  })
})
