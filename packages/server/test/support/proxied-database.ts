import assert from 'node:assert/strict'
import { parseDatabaseUrl } from '../../src/db/url.ts'
import type { Engine } from './engines.ts'
import { TcpProxy } from './tcp-proxy.ts'

/** A fresh database behind a proxy. */
export async function proxied(engine: Engine) {
  const directUrl = await engine.freshUrl()
  const target = parseDatabaseUrl(directUrl)
  assert.ok(target.engine === 'postgres')
  const { host = 'localhost', port = 5432, user = '', password = '', database = '', options = '' } = target.config
  const proxy = await TcpProxy.start(host.startsWith('/') ? { path: `${host}/.s.PGSQL.${port}` } : { host, port })
  const account = `${encodeURIComponent(user)}:${encodeURIComponent(String(password))}`
  const query = `sslmode=disable&options=${encodeURIComponent(options)}`
  return { directUrl, proxy, url: `postgresql://${account}@127.0.0.1:${proxy.port}/${database}?${query}` }
}
