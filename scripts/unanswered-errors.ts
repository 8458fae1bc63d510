import { readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { errorStatus } from '@vox/protocol'
import { ENDPOINTS } from '@vox/protocol/endpoints'

const endpoints = Object.values(ENDPOINTS).flatMap((section) => Object.values(section))

/**
 * Errors that endpoints declare and no test process has noted in this folder: each is either not tested or cannot
 * happen. What has two paths is declared from the same parts, and an answer at one of them is enough.
 */
export function unansweredErrors(folder: string): string[] {
  const answered = new Set(
    readdirSync(folder).flatMap((name) => readFileSync(path.join(folder, name), 'utf8').split('\n')),
  )
  return endpoints.flatMap(({ method, path, errors, reply }) => {
    const paths = endpoints.filter((other) => other.errors === errors && other.reply === reply).map(({ path }) => path)
    return errors
      .map(errorStatus)
      .map(({ status, code }) => `${status} ${code}`)
      .filter((error) => !paths.some((path) => answered.has(`${method} ${path} ${error}`)))
      .map((error) => `${method} ${path} ${error}`)
  })
}
