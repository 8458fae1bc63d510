import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { connect, createServer } from 'node:net'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { newCertificate } from './certificate.ts'
import { eventually } from './eventually.ts'
import { freshPath } from './folder.ts'
import { leftOut } from './requirements.ts'

/** A file of the folder `deploy/`. */
export const deployed = (name: string): string =>
  readFileSync(fileURLToPath(new URL(`../../../../deploy/${name}`, import.meta.url)), 'utf8')

/** Where a program is; Debian keeps servers out of the path of ordinary users. */
const find = (program: string): string | undefined =>
  [...(process.env.PATH ?? '').split(path.delimiter), '/usr/sbin']
    .map((folder) => path.join(folder, program))
    .find(existsSync)

/** Why tests that need a program are left out: the option `skip` of a test. */
export const without = (program: string): string | false =>
  leftOut(program, !find(program), `${program} is not installed`)

/** A running reverse proxy. */
export class ReverseProxy implements AsyncDisposable {
  /** Its HTTPS port on localhost, and the one for plain HTTP. */
  readonly port: number
  readonly plainPort: number
  /** Its certificate, which is its own authority. */
  readonly ca: string
  readonly #child: ChildProcess
  readonly #reload: () => void

  constructor({ port, plainPort, ca }: Place, child: ChildProcess, reload: () => void) {
    this.port = port
    this.plainPort = plainPort
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

/** Starts a kind of proxy in front of the server on this port. `edit` changes what `deploy/` has for it. */
export type StartProxy = (target: number, edit?: (site: string) => string) => Promise<ReverseProxy>

/**
 * nginx with the site of `deploy/`: only the host name, ports and certificate are this machine's. A reload ends
 * connections at once, as it does in the end with the old workers of a busy machine.
 */
export const startNginx: StartProxy = async (target, edit = (site) => site) => {
  const place = await newPlace()
  const site = edit(deployed('nginx.conf'))
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
     worker_shutdown_timeout 1ms;
     http { access_log off; ${temporary.join(' ')}\n${site}\n}`,
  )
  const child = spawn(find('nginx') ?? 'nginx', ['-c', config, '-e', 'stderr'], { stdio: 'ignore' })
  return ready(new ReverseProxy(place, child, () => child.kill('SIGHUP')), child)
}

/** Caddy with one of the sites of `deploy/`: only the host name, ports and certificate are this machine's. */
export const startCaddy =
  (file: 'Caddyfile' | 'Caddyfile.full'): StartProxy =>
  async (target, edit = (site) => site) => {
    const place = await newPlace()
    const admin = await freePort()
    const config = path.join(place.folder, 'Caddyfile')
    const site = edit(deployed(file))
      .replace('chat.example.org {', `https://localhost:${place.port} {\n tls ${place.cert} ${place.key}`)
      .replaceAll('localhost:8000', `127.0.0.1:${target}`)
    const own = `admin localhost:${admin}\n http_port ${place.plainPort}\n https_port ${place.port}\n skip_install_trust`
    writeFileSync(config, `{\n ${own}\n}\n${site}`)
    const program = find('caddy') ?? 'caddy'
    const env = { PATH: process.env.PATH, HOME: place.folder }
    const child = spawn(program, ['run', '--config', config], { stdio: 'ignore', env })
    const reload = () => execFileSync(program, ['reload', '--config', config, '--force'], { stdio: 'ignore', env })
    return ready(new ReverseProxy(place, child, reload), child)
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
