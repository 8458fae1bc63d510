import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { describe, it } from 'node:test'
import { fileURLToPath } from 'node:url'
import { CHECKS } from '../../src/doctor/doctor.ts'
import { deployed } from '../support/proxies.ts'

const FILES = [
  'Caddyfile',
  'Caddyfile.full',
  'Dockerfile',
  'compose.yaml',
  'grafana-dashboard.json',
  'nginx.conf',
  'prometheus-rules.yaml',
  'vox-backup.service',
  'vox-backup.timer',
  'vox.env.example',
  'vox.service',
]

const document = (name: string): string =>
  readFileSync(fileURLToPath(new URL(`../../../../docs/${name}`, import.meta.url)), 'utf8')

/** Variables that a text names. */
const variablesIn = (text: string): string[] => [...new Set(text.match(/\bVOX_[A-Z0-9_]*[A-Z0-9]\b(?!_)/g) ?? [])]

describe('the files of a deployment', () => {
  it('name no variable that the server does not know', () => {
    const known = new Set(variablesIn(document('configuration.md')))
    for (const [name, text] of [
      ...FILES.map((file) => [file, deployed(file)] as const),
      ['deployment.md', document('deployment.md')] as const,
      ['observability.md', document('observability.md')] as const,
      ['operations.md', document('operations.md')] as const,
    ])
      for (const variable of variablesIn(text)) assert.ok(known.has(variable), `${name} names ${variable}`)
  })

  it('let a proxy pass what the server takes, and no more than the form around it', () => {
    const [, kib] = /client_max_body_size (\d+)k;/.exec(deployed('nginx.conf')) ?? []
    const limit = 26_214_400
    assert.ok(Number(kib) * 1024 > limit && Number(kib) * 1024 <= limit + 65_536)
  })

  it('are all explained', () => {
    for (const file of [...FILES, 'vox']) assert.match(document('deployment.md'), new RegExp(`deploy/${file}\\b`))
  })

  it('have a checklist, of which the doctor checks every line', () => {
    const [, checklist = ''] = document('deployment.md').split('## Checklist')
    const rows = checklist.split('\n').filter((line) => /^\| \d+ \|/.test(line))
    assert.ok(rows.length >= 11)
    const names = new Set(CHECKS.map(({ name }) => name))
    for (const row of rows) {
      const checks = [...(row.split('|').at(-2) ?? '').matchAll(/`([^`]+)`/g)].map(([, name = '']) => name)
      assert.ok(checks.length > 0, row)
      for (const check of checks) assert.ok(names.has(check), `${check} is no check of the doctor`)
    }
  })
})
