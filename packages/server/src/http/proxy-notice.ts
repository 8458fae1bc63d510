import type { IncomingMessage } from 'node:http'
import type { Logger } from 'pino'
import { type Config, gatewayUrl } from '../config/config.ts'
import { isForwarded, isTrustedPeer } from './client-address.ts'

interface NoticeContext {
  config: Config
  log: Logger
  /** The port that the server listens on. */
  port(): number
}

/**
 * Looks at requests and warns once when clients come through a proxy while nobody has set the gateway's URL: they are
 * sent to this machine's own address then, log in, and never hear of anything.
 */
export function proxyNotice({ config, log, port }: NoticeContext): (request: IncomingMessage) => void {
  let given = false
  return ({ headers, socket: { remoteAddress = '' } }) => {
    if (given || config.get('server.gateway_url') !== null) return
    if (!isForwarded(headers)) return
    if (!isTrustedPeer(remoteAddress, config.get('network.trusted_proxies'))) return
    given = true
    log.warn(
      { told: gatewayUrl(config, port()), example: `wss://${headers.host ?? 'chat.example.org'}/gateway` },
      'clients come through a proxy, but are told a gateway URL that only works on this machine: set VOX_SERVER_GATEWAY_URL',
    )
  }
}
