import assert from 'node:assert/strict'
import { existsSync, globSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { describe, it } from 'node:test'

const ROOT = path.resolve(import.meta.dirname, '../../../..')
const PAGES = ['README.md', ...globSync('docs/*.md', { cwd: ROOT })]

interface Link {
  from: string
  to: string
  anchor: string | undefined
}

const read = (page: string) => readFileSync(path.join(ROOT, page), 'utf8')

/** What a page links to inside of the project; code is no text. */
function links(page: string): Link[] {
  const text = read(page).replaceAll(/```.*?```/gs, '')
  return [...text.matchAll(/\]\((?!https?:)([^)#]*)(?:#([^)]+))?\)/g)].map(([, target = '', anchor]) => ({
    from: page,
    to: target === '' ? page : path.join(path.dirname(page), target),
    anchor,
  }))
}

const anchors = (page: string) =>
  [...read(page).matchAll(/^#+ (.+)$/gm)].map(([, heading = '']) =>
    heading
      .toLowerCase()
      .replaceAll(/[^\w\- ]/g, '')
      .replaceAll(' ', '-'),
  )

const leadsNowhere = ({ to, anchor }: Link) =>
  !existsSync(path.join(ROOT, to)) || (anchor !== undefined && !anchors(to).includes(anchor))

describe('the pages', () => {
  it('link to what is there', () => {
    const all = PAGES.flatMap(links)
    assert.ok(all.length > 50)
    assert.deepEqual(all.filter(leadsNowhere), [])
  })

  it('are all in the README', () => {
    const named = new Set(links('README.md').map(({ to }) => to))
    assert.deepEqual(
      PAGES.slice(1).filter((page) => !named.has(page)),
      [],
    )
  })
})
