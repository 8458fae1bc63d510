import { once } from 'node:events'
import { createServer, type IncomingMessage, type RequestListener, type ServerResponse } from 'node:http'
import { createServer as createTlsServer, type ServerOptions } from 'node:https'
import type { AddressInfo } from 'node:net'

/** A web server on the loopback interface that stands for a place of the internet. */
export interface WebSite extends AsyncDisposable {
  port: number
  /** Method and path of every request so far. */
  visits: string[]
  requests: IncomingMessage[]
}

export type Page = (request: IncomingMessage, response: ServerResponse) => void

/** Starts one that answers every request by `page`; with TLS if it is given a certificate. */
export async function startSite(page: Page, tls?: ServerOptions): Promise<WebSite> {
  const visits: string[] = []
  const requests: IncomingMessage[] = []
  const listener: RequestListener = (request, response) => {
    visits.push(`${request.method} ${request.url}`)
    requests.push(request)
    page(request, response)
  }
  const server = tls ? createTlsServer(tls, listener) : createServer(listener)
  await once(server.listen(0, '127.0.0.1'), 'listening')
  return {
    port: (server.address() as AddressInfo).port,
    visits,
    requests,
    async [Symbol.asyncDispose]() {
      server.close()
      server.closeAllConnections()
    },
  }
}
