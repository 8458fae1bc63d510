import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import path from 'node:path'

/** A certificate that is its own authority, in files and as text. */
export interface Certificate {
  cert: string
  key: string
  pem: string
}

/** Writes a new certificate for these names, such as `DNS:localhost`, into a folder. */
export function newCertificate(folder: string, ...names: string[]): Certificate {
  const [cert, key] = [path.join(folder, 'cert.pem'), path.join(folder, 'key.pem')]
  const subject = ['-subj', '/CN=localhost', '-addext', `subjectAltName=${names.join(',')}`]
  const kind = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '60']
  execFileSync('openssl', ['req', '-x509', ...kind, ...subject, '-keyout', key, '-out', cert], { stdio: 'ignore' })
  return { cert, key, pem: readFileSync(cert, 'utf8') }
}
