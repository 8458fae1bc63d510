import { once } from 'node:events'
import { createServer, type IncomingMessage, request, type Server, type ServerResponse } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import type { AddressInfo, Socket } from 'node:net'
import type { Duplex } from 'node:stream'

/** A reverse proxy, with the mistakes that operators make in theirs. */
export class HttpProxy implements AsyncDisposable {
  /** The server behind it. */
  target = ''
  /** Whether it says who its clients are. */
  forwards = true
  /** The status with which it answers a request for a WebSocket instead of passing it on. */
  refuses: number | undefined
  maxBody = Number.POSITIVE_INFINITY
  readonly #server: Server
  readonly #sockets = new Set<Duplex>()

  private constructor(tls?: { cert: string; key: string }) {
    const answer = (incoming: IncomingMessage, response: ServerResponse) => this.#pass(incoming, response)
    this.#server = tls ? createTlsServer(tls, answer) : createServer(answer)
    this.#server.on('upgrade', (incoming, socket) => this.#upgrade(incoming, socket))
    this.#server.on('connection', (socket: Socket) => this.#sockets.add(socket))
  }

  static async start(tls?: { cert: string; key: string }): Promise<HttpProxy> {
    const proxy = new HttpProxy(tls)
    proxy.#server.listen(0, '127.0.0.1')
    await once(proxy.#server, 'listening')
    return proxy
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const closed = once(this.#server, 'close')
    this.#server.close()
    for (const socket of this.#sockets) socket.destroy()
    await closed
  }

  #onward({ method, url, headers, socket }: IncomingMessage) {
    const forwarded = this.forwards ? { 'x-forwarded-for': socket.remoteAddress } : {}
    return request(new URL(url ?? '/', this.target), { method, headers: { ...headers, ...forwarded } })
  }

  #pass(incoming: IncomingMessage, response: ServerResponse): void {
    incoming.on('error', () => {})
    if (Number(incoming.headers['content-length'] ?? 0) > this.maxBody) {
      incoming.resume()
      response.writeHead(413).end()
      return
    }
    const onward = this.#onward(incoming)
    onward.on('error', () => response.destroy())
    onward.on('response', (answer) => {
      response.writeHead(answer.statusCode ?? 502, answer.headers)
      answer.pipe(response)
    })
    incoming.pipe(onward)
  }

  #upgrade(incoming: IncomingMessage, socket: Duplex): void {
    socket.on('error', () => {})
    if (this.refuses) {
      socket.end(`HTTP/1.1 ${this.refuses} Refused\r\ncontent-length: 0\r\n\r\n`)
      return
    }
    const onward = this.#onward(incoming)
    onward.on('error', () => socket.destroy())
    onward.on('upgrade', ({ headers }, server, head) => {
      server.on('error', () => {})
      server.on('close', () => socket.destroy())
      socket.on('close', () => server.destroy())
      const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`)
      socket.write(`HTTP/1.1 101 Switching Protocols\r\n${lines.join('')}\r\n`)
      socket.write(head)
      server.pipe(socket).pipe(server)
    })
    onward.end()
  }
}
