import { request } from 'node:http'
import { connect } from 'node:net'
import { text } from 'node:stream/consumers'
import { parseJson, stringifyJson } from '@vox/protocol'
import { Refusal } from '../refusal.ts'

/**
 * Whether somebody listens at a Unix socket.
 *
 * @throws Refusal when this user may not ask.
 */
export function canConnect(path: string): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const socket = connect(path)
    socket.once('connect', () => {
      socket.destroy()
      resolve(true)
    })
    socket.once('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'EACCES' || error.code === 'EPERM')
        reject(new Refusal(`${path} belongs to another user. Run this as the user of the server.`))
      else resolve(false)
    })
  })
}

/** Asks the server at a control socket; gives what it answers. */
export function ask(path: string, operation: string, input: object): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const body = stringifyJson(input)
    const asked = request({ socketPath: path, path: `/${operation}`, method: 'POST' })
    asked.once('error', (error) => reject(new Refusal('The server has stopped meanwhile.', { cause: error })))
    asked.once('response', (response) => {
      text(response)
        .then(parseJson)
        .then((answer) => resolve(resultOf(answer)))
        .catch(reject)
    })
    asked.end(body)
  })
}

function resultOf(answer: unknown): unknown {
  const { result, error } = answer as { result?: unknown; error?: string }
  if (error !== undefined) throw new Refusal(error)
  return result
}
