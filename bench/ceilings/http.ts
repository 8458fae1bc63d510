/** The least a server does for a posted message: reads the JSON body, answers JSON of the same size. No database. */
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'

let id = 1n << 57n

const server = createServer((request, response) => {
  let body = ''
  request.setEncoding('utf8').on('data', (chunk) => {
    body += chunk
  })
  request.on('end', () => {
    JSON.parse(body)
    const answer = `{"msg_id":${id++},"timestamp":${Date.now()},"interaction_id":null,"mentions":null}`
    response.writeHead(201, { 'content-type': 'application/json', 'content-length': answer.length }).end(answer)
  })
})
server.listen(0, '127.0.0.1', () => console.log((server.address() as AddressInfo).port))
