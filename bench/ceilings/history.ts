/** The least a server does for a page of history: one prepared query on the same rows, and the JSON text of the rows. */
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { DatabaseSync } from 'node:sqlite'

const page = new DatabaseSync(process.argv[2] ?? '', { readOnly: true }).prepare(
  'select * from messages where feed_id = 1 and thread_id is null and msg_id < ? order by msg_id desc limit 100',
)
page.setReadBigInts(true)

const server = createServer((request, response) => {
  const before = BigInt(new URL(request.url ?? '', 'http://localhost').searchParams.get('before') ?? 0)
  const text = JSON.stringify({ messages: page.all(before) }, (_key, value) =>
    typeof value === 'bigint' ? JSON.rawJSON(value.toString()) : value,
  )
  response.writeHead(200, { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) }).end(text)
})
server.listen(0, '127.0.0.1', () => console.log((server.address() as AddressInfo).port))
