import assert from 'node:assert/strict'
import { subscribe } from 'node:diagnostics_channel'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type Endpoint, type ErrorEnvelope, errorStatus, possibleErrors } from '@vox/protocol'
import type { FastifyInstance } from 'fastify'

/*
 * Notes every error that the servers of this process answer. One that its endpoint does not declare fails the test; all
 * of them go into the folder that `npm test` names, which tells in the end what is declared and has never been answered.
 */

const answered = new Set<string>()
const undeclared = new Set<string>()

subscribe('fastify.initialization', (message) => {
  const { fastify } = message as { fastify: FastifyInstance }
  fastify.addHook('preSerialization', async ({ routeOptions }, { statusCode: status }, payload) => {
    const { endpoint } = routeOptions.config
    if (endpoint && status >= 400) note(endpoint, status, (payload as ErrorEnvelope).error.code)
    return payload
  })
})

function note(endpoint: Endpoint, status: number, code: string): void {
  const error = `${endpoint.method} ${endpoint.path} ${status} ${code}`
  answered.add(error)
  // Every path may lead to nothing, and every request may find the database gone.
  if (code === 'NOT_FOUND' || code === 'INTERNAL_ERROR') return
  const isPossible = possibleErrors(endpoint)
    .map(errorStatus)
    .some((possible) => possible.code === code && possible.status === status)
  if (!isPossible) undeclared.add(error)
}

/** Fails, once, if an endpoint has answered an error that it does not declare. */
export function verifyAnsweredErrors(): void {
  const found = [...undeclared]
  undeclared.clear()
  assert.deepEqual(found, [], 'errors that endpoints do not declare')
}

const folder = process.env.VOX_TEST_ANSWERED_ERRORS
if (folder) process.on('exit', () => writeFileSync(join(folder, String(process.pid)), [...answered].join('\n')))
