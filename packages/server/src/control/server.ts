import { lstatSync, unlinkSync } from 'node:fs'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { text } from 'node:stream/consumers'
import { parseJson, stringifyJson } from '@vox/protocol'
import type { Logger } from 'pino'
import { Refusal } from '../refusal.ts'
import { canConnect } from './client.ts'

/** Does an operation by its name; undefined if there is none of this name. */
export type Answerer = (operation: string, input: unknown) => Promise<unknown> | undefined

/**
 * Answers the command line while the server runs: HTTP with JSON on a Unix socket that only the user of the server may
 * open. So nobody has to log in, and what is done here is done with the state and the connections of the running server.
 */
export class ControlServer implements AsyncDisposable {
  readonly #http: Server
  readonly #answer: Answerer
  readonly #log: Logger

  private constructor(answer: Answerer, log: Logger) {
    this.#answer = answer
    this.#log = log
    this.#http = createServer((request, response) => void this.#respond(request, response))
  }

  /** Opens the socket. A socket that nobody listens at is left from a crash and replaced. */
  static async listen(path: string, answer: Answerer, log: Logger): Promise<ControlServer> {
    await removeStale(path)
    const control = new ControlServer(answer, log)
    await new Promise<void>((resolve, reject) => {
      control.#http.once('error', reject)
      // The socket is there before its permissions could be changed, so it is made with the right ones.
      const before = process.umask(0o177)
      control.#http.listen(path, resolve)
      process.umask(before)
    })
    return control
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await new Promise((resolve) => this.#http.close(resolve))
  }

  async #respond(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { status, body } = await this.#outcome(request)
    response.writeHead(status, { 'content-type': 'application/json', connection: 'close' }).end(stringifyJson(body))
  }

  async #outcome(request: IncomingMessage): Promise<{ status: number; body: unknown }> {
    const name = request.url?.slice(1) ?? ''
    try {
      const answer = this.#answer(name, parseJson(await text(request)))
      if (answer === undefined) return { status: 404, body: { error: `The running server does not know "${name}".` } }
      const result = await answer
      this.#log.info({ operation: name }, 'done for the operator')
      return { status: 200, body: { result } }
    } catch (error) {
      if (error instanceof Refusal) return { status: 409, body: { error: error.message } }
      this.#log.error({ err: error, operation: name }, 'an operation of the command line failed')
      return { status: 500, body: { error: 'The server failed at this; its log says why.' } }
    }
  }
}

async function removeStale(path: string): Promise<void> {
  const found = lstatSync(path, { throwIfNoEntry: false })
  if (found === undefined) return
  if (!found.isSocket()) throw new Refusal(`${path} is not a socket.`)
  if (await canConnect(path)) throw new Refusal(`Another server listens at ${path}.`)
  unlinkSync(path)
}
