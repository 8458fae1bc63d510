import type { IncomingMessage } from 'node:http'
import { pipeline, type Readable, type Transform } from 'node:stream'
import { createBrotliDecompress, createGunzip } from 'node:zlib'

/** What is understood of `Content-Encoding`, and asked for. */
export const ENCODINGS = 'gzip, br'

const DECODERS: Readonly<Record<string, () => Transform>> = {
  gzip: createGunzip,
  'x-gzip': createGunzip,
  br: createBrotliDecompress,
}

/** Reads a body, decompressed, and stops with a failure as soon as it is longer than `maxBytes`. */
export async function readAtMost(response: IncomingMessage, maxBytes: number): Promise<Buffer> {
  const chunks: Buffer[] = []
  let length = 0
  for await (const chunk of decompressed(response)) {
    length += (chunk as Buffer).length
    if (length > maxBytes) throw new Error('the answer is too long')
    chunks.push(chunk as Buffer)
  }
  return Buffer.concat(chunks)
}

function decompressed(response: IncomingMessage): Readable {
  const encoding = response.headers['content-encoding']?.trim().toLowerCase() ?? 'identity'
  if (encoding === 'identity' || encoding === '') return response
  const decoder = DECODERS[encoding]
  if (!decoder) throw new Error('the answer is in an unknown encoding')
  // Errors of the response end the decoder, where the reading loop meets them.
  return pipeline(response, decoder(), () => {})
}
