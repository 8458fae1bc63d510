/**
 * Uploads of 25 MB by many clients at once, kept in a folder and in a bucket, beside a bare program that pipes the same
 * bodies to files.
 *
 *   npx node bench/uploads.ts [clients] [megabytes]
 *
 * Memory is read every 50 ms while the uploads run; what has to stay flat is the growth, and the course of it in tenths
 * of the time. The bare program neither takes the form apart nor waits until the bytes are on the disk. The bucket is
 * one of an S3 server in this process, which shares its processor with the clients.
 */
import { mkdtemp, rm } from 'node:fs/promises'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { startS3 } from '../packages/server/test/support/s3.ts'
import { type Program, startProgram, startVox } from './support/program.ts'
import { register } from './support/register.ts'

const clients = Number(process.argv[2] ?? 50)
const megabytes = Number(process.argv[3] ?? 25)
const MB = 1_000_000
const SAMPLE_MS = 50

const chunk = Buffer.alloc(65_536, 'some bytes of a file that is no picture, ')
const head = Buffer.from(
  '--b\r\nContent-Disposition: form-data; name="file"; filename="file.bin"\r\nContent-Type: application/octet-stream\r\n\r\n',
)
const tail = Buffer.from('\r\n--b--\r\n')
const fileBytes = megabytes * MB
const bodyBytes = head.length + fileBytes + tail.length

/** Sends one form; resolves with the milliseconds until its answer, which must be 201. */
function upload(port: number, path: string, token: string): Promise<number> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1')
    const begin = performance.now()
    let left = fileBytes
    const send = () => {
      while (left > 0) {
        const piece = left < chunk.length ? chunk.subarray(0, left) : chunk
        left -= piece.length
        if (!socket.write(piece)) return void socket.once('drain', send)
      }
      socket.write(tail)
    }
    socket.on('error', reject)
    socket.setEncoding('latin1').on('data', (answer: string) => {
      if (!answer.startsWith('HTTP/1.1 201')) return reject(new Error(answer))
      resolve(performance.now() - begin)
      socket.destroy()
    })
    socket.write(
      `POST ${path} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer ${token}\r\n` +
        `Content-Type: multipart/form-data; boundary=b\r\nContent-Length: ${bodyBytes}\r\n\r\n`,
    )
    socket.write(head)
    send()
  })
}

async function measure(program: Program, path: string, token: string) {
  await upload(program.port, path, token)
  const [cpu, resident] = [program.cpuSeconds(), program.residentBytes()]
  const samples: number[] = []
  const sampling = setInterval(() => samples.push(program.residentBytes()), SAMPLE_MS)
  const begin = performance.now()
  const times = await Promise.all(Array.from({ length: clients }, () => upload(program.port, path, token)))
  const seconds = (performance.now() - begin) / 1000
  clearInterval(sampling)
  return {
    'MB/s': Math.round((clients * megabytes) / seconds),
    'cpu s': Number((program.cpuSeconds() - cpu).toFixed(2)),
    'slowest s': Number((Math.max(...times) / 1000).toFixed(2)),
    'resident before MB': Math.round(resident / MB),
    'at most MB': Math.round(Math.max(...samples) / MB),
    'growth MB': Math.round((Math.max(...samples) - resident) / MB),
    'course MB': course(samples).join(' '),
  }
}

/** The highest memory in each tenth of the time, MB. */
function course(samples: readonly number[]): number[] {
  const tenth = Math.ceil(samples.length / 10)
  return Array.from({ length: Math.ceil(samples.length / tenth) }, (_, at) =>
    Math.round(Math.max(...samples.slice(at * tenth, (at + 1) * tenth)) / MB),
  )
}

async function bare() {
  const folder = await mkdtemp(join(tmpdir(), 'vox-bench-'))
  try {
    await using program = await startProgram(new URL('ceilings/upload.ts', import.meta.url), folder)
    return await measure(program, '/', 'x'.repeat(73))
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

async function vox(env: Record<string, string> = {}) {
  await using program = await startVox(env)
  const { token, feedId } = await register(program.port)
  return await measure(program, `/api/v1/feeds/${feedId}/files`, token)
}

console.log(`${clients} clients at once, ${megabytes} MB each, ${(clients * megabytes) / 1000} GB together`)
await using bucket = await startS3()
console.table({
  'bare http': await bare(),
  'vox, folder': await vox(),
  'vox, bucket': await vox(bucket.env),
})
