import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { request } from 'node:http'
import { createServer } from 'node:https'
import { type AddressInfo, connect } from 'node:net'
import { freshPath } from './folder.ts'

/** How a proxy treats what passes it; the defaults are those of a good one. */
interface Manners {
  /** Whether it says who its clients are. */
  forwardsAddress?: boolean
  /** Whether it lets connections become WebSockets. */
  upgrades?: boolean
  /** Bytes above which it refuses a body. */
  maxBody?: number
  /** Days for which its certificate is valid. */
  days?: number
}

/** A reverse proxy with a certificate that nobody has signed, in front of a server on this machine. */
export class TlsProxy implements AsyncDisposable {
  readonly #server: ReturnType<typeof createServer>
  #target = 0

  private constructor(server: ReturnType<typeof createServer>) {
    this.#server = server
  }

  static async start({
    forwardsAddress = true,
    upgrades = true,
    maxBody = Number.POSITIVE_INFINITY,
    days = 60,
  }: Manners = {}) {
    const proxy = new TlsProxy(createServer(certificate(days)))
    const forwarded = (address = '') => (forwardsAddress ? { 'x-forwarded-for': address } : {})
    proxy.#server.on('request', (incoming, outgoing) => {
      if (Number(incoming.headers['content-length'] ?? 0) > maxBody) return void outgoing.writeHead(413).end()
      const { method, url, headers, socket } = incoming
      const onward = request(
        { port: proxy.#target, method, path: url, headers: { ...headers, ...forwarded(socket.remoteAddress) } },
        (answer) => {
          outgoing.writeHead(answer.statusCode ?? 502, answer.headers)
          answer.pipe(outgoing)
        },
      )
      onward.on('error', () => outgoing.writableEnded || outgoing.writeHead(502).end())
      incoming.pipe(onward)
    })
    proxy.#server.on('upgrade', (incoming, socket, head) => {
      socket.on('error', () => {})
      if (!upgrades)
        return void socket.end('HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\nconnection: close\r\n\r\n')
      const onward = connect(proxy.#target, '127.0.0.1')
      const headers = { ...incoming.headers, ...forwarded(incoming.socket.remoteAddress) }
      const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}`)
      onward.on('error', () => socket.destroy())
      socket.on('close', () => onward.destroy())
      onward.write(`GET ${incoming.url} HTTP/1.1\r\n${lines.join('\r\n')}\r\n\r\n`)
      onward.write(head)
      onward.pipe(socket).pipe(onward)
    })
    await new Promise<void>((resolve) => proxy.#server.listen(0, '127.0.0.1', resolve))
    return proxy
  }

  /** Sends what comes to a server, given by its URL. */
  leadTo(url: string): void {
    this.#target = Number(new URL(url).port)
  }

  /** The gateway's URL through this proxy. */
  get gatewayUrl(): string {
    return `wss://localhost:${(this.#server.address() as AddressInfo).port}/gateway`
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections()
    await new Promise((resolve) => this.#server.close(resolve))
  }
}

function certificate(days: number) {
  const [key, cert] = [freshPath('.key'), freshPath('.pem')]
  const subject = ['-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost']
  const kind = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes']
  execFileSync('openssl', ['req', '-x509', ...kind, '-days', `${days}`, ...subject, '-keyout', key, '-out', cert], {
    stdio: 'ignore',
  })
  return { key: readFileSync(key), cert: readFileSync(cert) }
}
