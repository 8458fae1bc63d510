import { check } from './check.ts'
import { error, ok, warning } from './finding.ts'
import { publicUrl } from './public-url.ts'

export const passkeysFit = check('passkeys', ({ config, gateway }) => {
  const id = config.get('webauthn.rp_id')
  const origins = config.get('webauthn.origin')
  const example = gateway && !gateway.hostname.includes(':') ? gateway.hostname : 'chat.example.org'
  const cure = `Set VOX_WEBAUTHN_RP_ID=${example} and VOX_WEBAUTHN_ORIGIN=https://${example}.`
  if (!id && !origins) return warning('Passkeys are switched off.', cure)
  if (!id || !origins)
    return error('Passkeys need both VOX_WEBAUTHN_RP_ID and VOX_WEBAUTHN_ORIGIN, and one is missing.', cure)
  const foreign = origins.filter((origin) => !isWithin(origin, id))
  if (foreign.length > 0)
    return error(
      `Browsers refuse passkeys of ${id} at ${foreign.join(', ')}.`,
      `Use origins with https:// at ${id} or below it.`,
    )
  const ours = gateway && publicUrl(gateway, '/').origin
  if (ours && !origins.includes(ours))
    return warning(`Passkeys do not work at the public URL, ${ours}.`, `Add ${ours} to VOX_WEBAUTHN_ORIGIN.`)
  return ok(`Passkeys of ${id} work at ${origins.join(', ')}.`)
})

/** Whether a browser at this origin takes the id for its own: https, or this machine; the same domain or one below. */
function isWithin(origin: string, id: string): boolean {
  const { protocol, hostname } = URL.parse(origin) ?? { protocol: '', hostname: '' }
  const isSecure = protocol === 'https:' || hostname === 'localhost'
  return isSecure && (hostname === id || hostname.endsWith(`.${id}`))
}

export const federationFits = check('federation', async ({ config, gateway, machine }) => {
  const domain = config.get('federation.domain')
  if (!domain) return ok('Federation is switched off.')
  if (config.get('federation.static_peers').size > 0)
    return ok(`Federation as ${domain} with peers that are named here.`)
  const keys = (await machine.textRecords(`_voxkey.${domain}`)).map(
    (record) => /(?:^|[;\s])p=([^;\s]+)/.exec(record)?.[1],
  )
  if (!keys.some((key) => key))
    return error(
      `Other servers cannot verify what ${domain} sends: the DNS has no key of it.`,
      `Make the record _voxkey.${domain} TXT "v=vox1; k=ed25519; p=<public key>; sig=2".`,
    )
  const own = config.get('federation.public_key')
  if (own && !keys.includes(own))
    return error(
      `The key that the DNS has of ${domain} is not the one of this server.`,
      `Put p=${own} into _voxkey.${domain}.`,
    )
  if (gateway && gateway.hostname !== domain)
    return warning(
      `Other servers look for ${domain} at ${domain}, unless the DNS says that it is at ${gateway.hostname}.`,
      `See that _vox.${domain} has the SVCB record "1 ${gateway.hostname}. port=${gateway.port || 443}".`,
    )
  return ok(`Federation as ${domain}; its key is in the DNS.`)
})
