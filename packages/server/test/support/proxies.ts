import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { connect, createServer } from 'node:net'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { newCertificate } from './certificate.ts'
import { eventually } from './eventually.ts'
import { freshPath } from './folder.ts'

/** A file of the folder `deploy/`. */
export const deployed = (name: string): string =>
  readFileSync(fileURLToPath(new URL(`../../../../deploy/${name}`, import.meta.url)), 'utf8')

/** Where a program is; Debian keeps servers out of the path of ordinary users. */
const find = (program: string): string | undefined =>
  [...(process.env.PATH ?? '').split(path.delimiter), '/usr/sbin']
    .map((folder) => path.join(folder, program))
    .find(existsSync)

/** Why tests that need a program are left out: the option `skip` of a test. */
export function without(program: string): string | false {
  if (find(program)) return false
  if (process.env.VOX_TEST_REQUIRE?.split(',').includes(program))
    throw new Error(`VOX_TEST_REQUIRE asks for ${program}, but it is not installed.`)
  return `${program} is not installed; VOX_TEST_REQUIRE=${program} makes that an error`
}

/** A running reverse proxy. */
export class ReverseProxy implements AsyncDisposable {
  /** Its HTTPS port on localhost. */
  readonly port: number
  /** Its certificate, which is its own authority. */
  readonly ca: string
  readonly #child: ChildProcess
  readonly #reload: () => void

  constructor({ port, ca }: Place, child: ChildProcess, reload: () => void) {
    this.port = port
    this.ca = ca
    this.#child = child
    this.#reload = reload
  }

  /** Has it read its configuration anew. */
  reload(): void {
    this.#reload()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#child.exitCode !== null) return
    const ended = once(this.#child, 'exit')
    this.#child.kill('SIGTERM')
    await ended
  }
}

/** Kinds of proxies, each started with what `deploy/` has for it in front of the server on this port. */
export const PROXIES = {
  async nginx(target: number): Promise<ReverseProxy> {
    const place = await newPlace()
    const site = deployed('nginx.conf')
      .replaceAll('chat.example.org', 'localhost')
      .replaceAll(/\/etc\/letsencrypt\S+fullchain\.pem/g, place.cert)
      .replaceAll(/\/etc\/letsencrypt\S+privkey\.pem/g, place.key)
      .replaceAll('127.0.0.1:8000', `127.0.0.1:${target}`)
      .replaceAll(/(listen (?:\[::\]:)?)80;/g, `$1${place.plainPort};`)
      .replaceAll(/(listen (?:\[::\]:)?)443 /g, `$1${place.port} `)
    const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map(
      (kind) => `${kind}_temp_path ${place.folder}/${kind};`,
    )
    const config = path.join(place.folder, 'nginx.conf')
    writeFileSync(
      config,
      `user root; daemon off; pid ${place.folder}/pid; error_log stderr; worker_processes 1; events {}
       http { access_log off; ${temporary.join(' ')}\n${site}\n}`,
    )
    const program = find('nginx') ?? 'nginx'
    const child = spawn(program, ['-c', config, '-e', 'stderr'], { stdio: 'ignore' })
    return ready(new ReverseProxy(place, child, () => child.kill('SIGHUP')), child)
  },

  async caddy(target: number): Promise<ReverseProxy> {
    const place = await newPlace()
    const admin = await freePort()
    const config = path.join(place.folder, 'Caddyfile')
    const write = (note: string) =>
      writeFileSync(
        config,
        `{\n admin localhost:${admin}\n auto_https disable_redirects\n http_port ${place.plainPort}\n}\n# ${note}\n${deployed(
          'Caddyfile.full',
        )
          .replace('chat.example.org {', `https://localhost:${place.port} {\n tls ${place.cert} ${place.key}`)
          .replaceAll('localhost:8000', `127.0.0.1:${target}`)}`,
      )
    write('first')
    const program = find('caddy') ?? 'caddy'
    const env = { PATH: process.env.PATH, HOME: place.folder }
    const child = spawn(program, ['run', '--config', config], { stdio: 'ignore', env })
    const reload = () => {
      write('second')
      execFileSync(program, ['reload', '--config', config, '--force'], { stdio: 'ignore', env })
    }
    return ready(new ReverseProxy(place, child, reload), child)
  },
}

interface Place {
  folder: string
  port: number
  plainPort: number
  cert: string
  key: string
  ca: string
}

async function newPlace(): Promise<Place> {
  const folder = freshPath()
  mkdirSync(folder)
  const { cert, key, pem } = newCertificate(folder, 'DNS:localhost', 'IP:127.0.0.1')
  return { folder, port: await freePort(), plainPort: await freePort(), cert, key, ca: pem }
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  server.close()
  await once(server, 'close')
  if (typeof address !== 'object' || !address) throw new Error('no port')
  return address.port
}

/** Gives the proxy once it listens. */
async function ready(proxy: ReverseProxy, child: ChildProcess): Promise<ReverseProxy> {
  await eventually(async () => {
    if (child.exitCode !== null) throw new Error(`the proxy has ended with ${child.exitCode}`)
    const socket = connect(proxy.port, '127.0.0.1')
    await once(socket, 'connect')
    socket.destroy()
  })
  return proxy
}
