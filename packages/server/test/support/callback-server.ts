import { once } from 'node:events'
import { createServer, type IncomingHttpHeaders, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import { parseJson } from '@vox/protocol'

/** What a bot behind a URL was sent. */
export interface Called {
  headers: IncomingHttpHeaders
  raw: string
  // biome-ignore lint/suspicious/noExplicitAny: tests look into payloads of every shape
  payload: any
}

interface Reply {
  status?: number
  headers?: Record<string, string>
  /** An object is sent as JSON. */
  body?: string | Buffer | object
}

/** Lets callbacks reach the loopback interface, where the tests' bots are. */
export const CALLBACKS = { VOX_OUTBOUND_ALLOW: '127.0.0.1' }

/** A bot behind a URL, which answers as a test says. */
export class CallbackServer {
  readonly url: string
  readonly calls: Called[] = []
  /** Undefined lets the caller wait for ever. */
  answer: (called: Called) => Reply | undefined | Promise<Reply | undefined> = () => ({ status: 204 })
  readonly #server: Server

  constructor(server: Server) {
    this.#server = server
    this.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/interactions`
  }

  static async listen(): Promise<CallbackServer> {
    const server = createServer()
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    const bot = new CallbackServer(server)
    server.on('request', async (request, response) => {
      const raw = await text(request)
      const called = { headers: request.headers, raw, payload: parseJson(raw) }
      bot.calls.push(called)
      const { status = 200, headers = {}, body = '' } = (await bot.answer(called)) ?? { status: 0 }
      if (status === 0) return
      response.on('error', () => {})
      response.writeHead(status, headers)
      response.end(typeof body === 'string' || Buffer.isBuffer(body) ? body : JSON.stringify(body))
    })
    return bot
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections()
    await new Promise((resolve) => this.#server.close(resolve))
  }
}
