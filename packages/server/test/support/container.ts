import { type ChildProcess, execFileSync, spawn, spawnSync } from 'node:child_process'
import { cpSync, existsSync, globSync, mkdirSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { type Copy, DockerfileParser, type Env, type Instruction, type JSONInstruction } from 'dockerfile-ast'
import { freshPath } from './folder.ts'
import { leftOut } from './requirements.ts'

/** The home of root inside an image. */
const ROOT_HOME = '/root'

/**
 * Builds and runs what a Dockerfile describes without a container engine: every stage is a folder that its commands have
 * for their root, with this machine's system programs and Node in the place of the base image. The mounts are made in a
 * namespace of each command's own, so nothing of them outlives it.
 */
export class Image {
  readonly root = freshPath()
  env: Record<string, string> = { PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin' }
  workdir = '/'
  user = '0:0'
  readonly volumes: string[] = []
  readonly ports: string[] = []
  healthcheck: string[] = []
  entrypoint: string[] = []
  stopSignal: NodeJS.Signals = 'SIGTERM'

  constructor() {
    for (const folder of ['usr', 'proc', 'dev', 'tmp', 'etc', 'root', 'home/node'])
      mkdirSync(path.join(this.root, folder), { recursive: true })
    for (const name of ['bin', 'sbin', 'lib', 'lib64'].filter((name) => existsSync(`/usr/${name}`)))
      symlinkSync(`usr/${name}`, path.join(this.root, name))
    writeFileSync(
      path.join(this.root, 'etc/passwd'),
      `root:x:0:0::${ROOT_HOME}:/bin/sh\nnode:x:1000:1000::/home/node:/bin/sh\n`,
    )
  }

  /** A place inside the image as this machine sees it. */
  path(inside: string): string {
    return path.join(this.root, path.resolve(this.workdir, inside))
  }

  /** What npm keeps while the image is built. */
  get npmCache(): string {
    return this.path(`${ROOT_HOME}/.npm`)
  }

  /** Runs a command while the image is built. */
  run(command: string[]): void {
    execFileSync('unshare', this.#inside(command, 'root'), { stdio: 'pipe' })
  }

  /** Runs a command as in a container of `compose.yaml`: read-only but for volumes and /tmp, without capabilities. */
  start(command: string[], volume: string, env: Record<string, string>): ChildProcess {
    const args = this.#inside(command, volume, env)
    return spawn('unshare', args, { stdio: ['ignore', 'ignore', 'pipe'] })
  }

  #inside(command: string[], volume: string, env: Record<string, string> = {}): string[] {
    const isBuild = volume === 'root'
    const [uid = '0', gid = uid] = this.user.split(':')
    const variables = Object.entries({ HOME: uid === '0' ? ROOT_HOME : '/home/node', ...this.env, ...env })
    const script = `set -e
      mount --bind "$root" "$root"
      mount --rbind /usr "$root/usr"
      mount -t tmpfs -o mode=755 none "$root/usr/local"
      mkdir "$root/usr/local/bin" "$root/usr/local/lib"
      touch "$root/usr/local/bin/node"
      mount --bind "$node" "$root/usr/local/bin/node"
      mkdir "$root/usr/local/lib/npm"
      mount --bind "$npm" "$root/usr/local/lib/npm"
      ln -s ../lib/npm/bin/npm-cli.js "$root/usr/local/bin/npm"
      mount -t proc none "$root/proc"
      mount --rbind /dev "$root/dev"
      ${isBuild ? '' : this.#lockDown()}
      exec chroot "$root" setpriv --reuid=${uid} --regid=${gid} --clear-groups ${isBuild ? '' : '--bounding-set=-all --no-new-privs'} \\
        env -i ${variables.map(([name, value]) => `'${name}=${value}'`).join(' ')} \\
        sh -c 'cd "$0" && exec "$@"' '${this.workdir}' "$@"`
    const given = [
      `root=${this.root}`,
      `node=${process.execPath}`,
      `npm=${path.join(npm('root', '--global'), 'npm')}`,
      `volume=${volume}`,
    ]
    return ['--mount', 'env', ...given, 'sh', '-c', script, 'sh', ...command]
  }

  #lockDown(): string {
    const volumes = this.volumes.map((place) => `mount --bind "$volume" "$root${place}"`)
    return ['mount -o remount,bind,ro "$root"', 'mount -t tmpfs none "$root/tmp"', ...volumes].join('\n')
  }
}

/** Why images cannot be built here, if so. */
export function withoutContainers(): string | false {
  const isRoot = process.getuid?.() === 0
  const mayMount = isRoot && spawnSync('unshare', ['--mount', 'true']).status === 0
  return leftOut(
    'mounts',
    !mayMount,
    isRoot ? 'this machine allows no mounts' : 'only root may mount what an image needs',
  )
}

const npm = (...args: string[]): string => execFileSync('npm', args, { encoding: 'utf8' }).trim()

/** Follows a Dockerfile, instruction by instruction, with the files of `context` that its ignore file lets through. */
export function build(dockerfile: string, context: string, ignore: string): Image {
  const stages = new Map<string, Image>()
  let image = new Image()
  for (const instruction of DockerfileParser.parse(dockerfile).getInstructions()) {
    if (instruction.getKeyword() === 'FROM') {
      image = new Image()
      const [base, as, name] = words(instruction)
      if (!/^node:24-slim$/.test(base ?? '')) throw new Error(`${base} is no image that can be simulated`)
      if (as?.toUpperCase() === 'AS' && name) stages.set(name, image)
    } else follow(instruction, image, (copy) => sourceOf(copy, stages, context, ignore))
  }
  return image
}

type Source = (copy: Copy) => { root: string; files: readonly string[] | undefined }

function follow(instruction: Instruction, image: Image, source: Source): void {
  const text = instruction.getArgumentsContent() ?? ''
  switch (instruction.getKeyword()) {
    case 'WORKDIR':
      image.workdir = path.resolve(image.workdir, text)
      mkdirSync(image.path('.'), { recursive: true })
      break
    case 'ENV':
      for (const property of (instruction as Env).getProperties())
        image.env[property.getName()] = expand(property.getValue() ?? '', image.env)
      break
    case 'COPY':
      copyInto(image, instruction as Copy, source(instruction as Copy))
      break
    case 'RUN':
      if (text.includes('npm ci')) lendPackages(image)
      image.run(['/bin/sh', '-c', text])
      break
    case 'USER':
      image.user = text
      break
    case 'VOLUME':
      image.volumes.push(text)
      break
    case 'EXPOSE':
      image.ports.push(...words(instruction))
      break
    case 'HEALTHCHECK':
      image.healthcheck = jsonOf(text)
      break
    case 'ENTRYPOINT':
      image.entrypoint = jsonOf((instruction as JSONInstruction).getRawArgumentsContent() ?? '')
      break
    case 'STOPSIGNAL':
      image.stopSignal = text as NodeJS.Signals
      break
    default:
      throw new Error(`${instruction.getKeyword()} is not simulated`)
  }
}

const words = (instruction: Instruction): string[] => instruction.getArguments().map((argument) => argument.getValue())

/** The list in the exec form of an instruction; a shell form would need a shell that is not asked for. */
const jsonOf = (text: string): string[] => JSON.parse(text.slice(text.indexOf('[')))

const expand = (value: string, env: Record<string, string>): string =>
  value.replaceAll(/\$\{?(\w+)\}?/g, (_, name) => env[name] ?? '')

function sourceOf(copy: Copy, stages: Map<string, Image>, context: string, ignore: string): ReturnType<Source> {
  const from = copy.getFromFlag()?.getValue()
  if (!from) return { root: context, files: letThrough(context, ignore) }
  const stage = stages.get(from)
  if (!stage) throw new Error(`there is no stage ${from}`)
  return { root: stage.root, files: undefined }
}

function copyInto(image: Image, copy: Copy, { root, files }: ReturnType<Source>): void {
  const [from = '', to = ''] = words(copy)
  const target = image.path(to)
  if (!files) return void execFileSync('cp', ['-a', path.join(root, from), target])
  for (const file of files) {
    cpSync(path.join(root, file), path.join(target, file))
    execFileSync('chown', ['0:0', path.join(target, file)])
  }
}

/** Files of a context that an ignore file leaves in it: of the patterns that meet a file or a folder above, the last. */
function letThrough(context: string, ignore: string): string[] {
  const patterns = ignore.split('\n').filter((line) => line !== '' && !line.startsWith('#'))
  const isLeftOut = (file: string): boolean => {
    const places = file.split('/').map((_, depth, parts) => parts.slice(0, depth + 1).join('/'))
    const meets = (pattern: string) => places.some((place) => path.matchesGlob(place, pattern.replace(/^!/, '')))
    return !patterns.findLast(meets)?.startsWith('!')
  }
  const exclude = (name: string) => /(^|\/)(node_modules|\.git)$/.test(name)
  return globSync('**', { cwd: context, exclude })
    .concat(globSync('.*', { cwd: context, exclude }))
    .filter((file) => statSync(path.join(context, file)).isFile() && !isLeftOut(file))
}

/** npm finds here what it had to download for this machine, so that an image needs no network. */
function lendPackages(image: Image): void {
  const [cache, lent] = [path.join(npm('config', 'get', 'cache'), '_cacache'), path.join(image.npmCache, '_cacache')]
  mkdirSync(lent, { recursive: true })
  // What is stored never changes; the index does.
  execFileSync('cp', ['-al', path.join(cache, 'content-v2'), lent])
  execFileSync('cp', ['-a', path.join(cache, 'index-v5'), lent])
  image.env.npm_config_offline = 'true'
}
