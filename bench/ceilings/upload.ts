/** The least a server does with an upload: writes the body to a file as it comes, and answers. */
import { createWriteStream } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { pipeline } from 'node:stream/promises'

const folder = process.argv[2] ?? '.'
let files = 0

const server = createServer(async (request, response) => {
  await pipeline(request, createWriteStream(join(folder, `${++files}`)))
  response.writeHead(201, { 'content-length': 2 }).end('{}')
})
server.listen(0, '127.0.0.1', () => console.log((server.address() as AddressInfo).port))
