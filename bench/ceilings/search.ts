/** The least a server does for a search: one prepared query on the same index, and the JSON text of the rows. */
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { DatabaseSync } from 'node:sqlite'

const page = new DatabaseSync(process.argv[2] ?? '', { readOnly: true }).prepare(
  `select messages.* from message_search as found cross join messages
   where messages.msg_id = found.rowid and found.message_search match ? and feed_id = 1
   order by found.rowid desc limit 25`,
)
page.setReadBigInts(true)

const server = createServer((request, response) => {
  const query = new URL(request.url ?? '', 'http://localhost').searchParams.get('q') ?? ''
  const text = JSON.stringify({ results: page.all(`"${query}"`) }, (_key, value) =>
    typeof value === 'bigint' ? JSON.rawJSON(value.toString()) : value,
  )
  response.writeHead(200, { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) }).end(text)
})
server.listen(0, '127.0.0.1', () => console.log((server.address() as AddressInfo).port))
