import { gatewayUrl } from '../config/config.ts'
import type { Sighting } from '../control/probes.ts'
import { check } from './check.ts'
import { type Deployment, LiveServer } from './deployment.ts'
import { error, type Finding, ok, skipped, warning } from './finding.ts'
import {
  type Answer,
  certificateExpiry,
  explain,
  firstMessage,
  isEncrypted,
  isLocal,
  publicUrl,
  send,
  UnexpectedAnswer,
} from './public-url.ts'

const DAY_MS = 86_400_000

/** Certificates that last 90 days are usually renewed 30 days before their end. */
const RENEWAL_IS_LATE_DAYS = 14

/** What a form has around its file. */
const FORM_BYTES = 1024

const SET_GATEWAY = 'Set VOX_SERVER_GATEWAY_URL to the public URL, for example wss://chat.example.org/gateway.'

export const gatewayIsPublic = check('gateway URL', ({ gateway, config }) => {
  const told = gateway?.href ?? gatewayUrl(config, config.get('network.port'))
  if (!gateway || isLocal(gateway))
    return error(`Clients are told ${told}, which only this machine can use.`, SET_GATEWAY)
  if (isEncrypted(gateway)) return ok(`Clients are told ${told}.`)
  return error(
    `Clients are told ${told}, where passwords and messages cross the network in the clear.`,
    'Put a reverse proxy with TLS in front of the server (docs/operations.md) and wss:// into VOX_SERVER_GATEWAY_URL.',
  )
})

export const gatewayAnswers = fromOutside('gateway', async (gateway, deployment) => {
  const { answer: type, sighting } = await probe(deployment, (mark) => firstMessage(gateway, mark))
  if (sighting === null) return answeredByAnother(gateway)
  if (type === 'hello') return ok('A WebSocket through the public URL gets its hello.')
  return error(`The first message at ${gateway} is ${JSON.stringify(type)} instead of hello.`, SET_GATEWAY)
})

export const certificateIsValid = fromOutside('certificate', async (gateway) => {
  if (!isEncrypted(gateway)) return skipped('The public URL is not encrypted.')
  const expiry = await certificateExpiry(gateway)
  const days = Math.floor((expiry.getTime() - Date.now()) / DAY_MS)
  const text = `The certificate of ${gateway.hostname} is valid until ${expiry.toISOString().slice(0, 10)}`
  if (days > RENEWAL_IS_LATE_DAYS) return ok(`${text}.`)
  return warning(`${text}: ${days} more days.`, 'See in the log of the proxy or of certbot why it was not renewed yet.')
})

export const addressesAreKnown = fromOutside('client addresses', async (gateway, deployment) => {
  if (!(deployment.server instanceof LiveServer)) return skipped('Only a running server can tell.')
  const everybody = deployment.config.get('network.trusted_proxies').some(([, bits]) => bits === 0)
  if (everybody)
    return error(
      'VOX_TRUSTED_PROXIES trusts every address, so any client can pretend to be another one.',
      'Name the addresses of your own proxies only.',
    )
  const { sighting } = await probe(deployment, (mark) => send(publicUrl(gateway, '/health'), { mark }))
  return sighting ? describeSighting(sighting, isEncrypted(gateway)) : answeredByAnother(gateway)
})

function describeSighting({ peer, trusted, forwarded, client }: Sighting, isBehindProxy: boolean): Finding {
  if (forwarded !== null && !trusted)
    return error(
      `Requests come through ${peer}, which is not trusted: all clients count as one and share its limits.`,
      `Add ${peer} to VOX_TRUSTED_PROXIES.`,
    )
  if (forwarded === null && isBehindProxy)
    return error(
      `The proxy at ${peer} does not say who its clients are: all of them count as one and share its limits.`,
      'nginx: proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for; Caddy does it by itself.',
    )
  return ok(
    `A request through the public URL counts as one of ${client}${forwarded === null ? '' : `, sent on by ${peer}`}.`,
  )
}

export const uploadsPass = fromOutside('upload size', async (gateway, deployment) => {
  const limit = deployment.config.limits.file_upload_max_bytes
  const body = { type: 'multipart/form-data; boundary=probe', bytes: limit + FORM_BYTES }
  const url = publicUrl(gateway, '/api/v1/feeds/1/files')
  const { answer, sighting } = await probe(deployment, (mark) => send(url, { method: 'POST', mark, body }))
  if (sighting || isOurs(answer)) return ok(`An upload of ${limit} bytes reaches the server.`)
  return error(
    `An upload of ${limit} bytes, which the server would take, is answered with ${answer.status} before it gets there.`,
    `Raise the limit of the proxy (nginx: client_max_body_size ${Math.ceil(body.bytes / 2 ** 20)}m;), or lower VOX_LIMIT_FILE_UPLOAD_MAX_BYTES.`,
  )
})

/** The server gives every request an id. */
const isOurs = ({ headers }: Answer): boolean => headers['x-request-id'] !== undefined

/** A check that comes the way clients come, and may fail on the way. */
function fromOutside(name: string, run: (gateway: URL, deployment: Deployment) => Promise<Finding>) {
  return check(name, async (deployment) => {
    const { gateway } = deployment
    if (!gateway) return skipped('There is no public URL.')
    try {
      return await run(gateway, deployment)
    } catch (failure) {
      const { text, cure } = failure instanceof UnexpectedAnswer ? explainAnswer(failure) : explain(failure)
      return error(`${gateway.host}: ${text}`, cure)
    }
  })
}

function explainAnswer({ status }: UnexpectedAnswer): { text: string; cure: string } {
  const text = `a request for a WebSocket is answered with ${status}.`
  if (status === 502 || status === 503 || status === 504)
    return { text, cure: 'The proxy does not reach the server: compare its upstream with VOX_HOST and VOX_PORT.' }
  return {
    text,
    cure: 'Let the proxy pass the upgrade on (nginx: proxy_http_version 1.1; proxy_set_header Upgrade $http_upgrade; proxy_set_header Connection upgrade;), and see that the path is right.',
  }
}

const answeredByAnother = ({ host }: URL): Finding =>
  error(`Something answers at ${host}, but not the server of these settings.`, 'See where DNS and the proxy lead.')

/** Does something that sends a request; gives what came of it, and how it arrived if there is a server to ask. */
async function probe<T>({ server }: Deployment, act: (mark: string) => Promise<T>) {
  if (!(server instanceof LiveServer)) return { answer: await act('nobody'), sighting: undefined }
  return server.watch(act)
}
