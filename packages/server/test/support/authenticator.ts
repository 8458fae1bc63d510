import { createHash, generateKeyPairSync, type KeyObject, randomBytes, sign } from 'node:crypto'
import { type Cbor, encodeCbor } from './cbor.ts'

const USER_PRESENT = 0x01
const CREDENTIAL_ATTACHED = 0x40

/** Where the browser that the authenticator is plugged into claims to be. */
const ORIGIN = 'https://chat.example.org'

interface AuthenticatorOptions {
  algorithm?: 'ES256' | 'EdDSA'
  attestation?: 'none' | 'packed'
  /** Signature counter of the next ceremony; it rises with each use. 0 is an authenticator without one. */
  counter?: number
  credentialId?: Buffer
}

/** What a faulty or hostile client does differently. */
interface Deviations {
  origin?: string
  rpId?: string
  type?: string
  flags?: number
  counter?: number
  /** Changes the attestation object or the signed data on its way. */
  tamper?: (bytes: Buffer) => Buffer
  format?: string
  statement?: Map<Cbor, Cbor>
  userHandle?: string | null
}

interface CreationOptions {
  challenge_id: string
  challenge: string
  rp: { id: string }
  user: { id: string }
}

interface RequestOptions {
  challenge_id: string
  options: { challenge: string; rpId: string }
}

const sha256 = (data: string | Buffer): Buffer => createHash('sha256').update(data).digest()
const base64url = (bytes: Buffer): string => bytes.toString('base64url')

/** A security key in software, together with the browser it is plugged into. It holds one passkey. */
export class Authenticator {
  readonly id: Buffer
  counter: number
  readonly #algorithm: 'ES256' | 'EdDSA'
  readonly #attestation: 'none' | 'packed'
  readonly #privateKey: KeyObject
  readonly #publicKey: Map<Cbor, Cbor>
  #userHandle: string | null = null

  constructor({ algorithm = 'ES256', attestation = 'none', counter = 1, credentialId }: AuthenticatorOptions = {}) {
    this.id = credentialId ?? randomBytes(32)
    this.counter = counter
    this.#algorithm = algorithm
    this.#attestation = attestation
    const { privateKey, publicKey } =
      algorithm === 'ES256' ? generateKeyPairSync('ec', { namedCurve: 'P-256' }) : generateKeyPairSync('ed25519')
    this.#privateKey = privateKey
    this.#publicKey = coseKey(publicKey)
  }

  /** `navigator.credentials.create`, in the standard JSON form. */
  create({ challenge_id, challenge, rp, user }: CreationOptions, deviations: Deviations = {}) {
    this.#userHandle = user.id
    const clientData = clientDataOf('webauthn.create', challenge, deviations)
    const credential = Buffer.concat([Buffer.alloc(16), uint16(this.id.length), this.id, encodeCbor(this.#publicKey)])
    const data = this.#authenticatorData(rp.id, USER_PRESENT | CREDENTIAL_ATTACHED, deviations, credential)
    const object = encodeCbor(
      new Map<Cbor, Cbor>([
        ['fmt', deviations.format ?? this.#attestation],
        ['attStmt', deviations.statement ?? this.#statement(data, clientData)],
        ['authData', data],
      ]),
    )
    const { tamper = (bytes: Buffer) => bytes } = deviations
    return {
      challenge_id,
      id: base64url(this.id),
      rawId: base64url(this.id),
      type: 'public-key',
      response: {
        clientDataJSON: base64url(clientData),
        attestationObject: base64url(tamper(Buffer.from(object))),
        transports: ['usb'],
      },
    }
  }

  /** `navigator.credentials.get`, in the standard JSON form. */
  get({ challenge_id, options }: RequestOptions, deviations: Deviations = {}) {
    const clientData = clientDataOf('webauthn.get', options.challenge, deviations)
    const data = this.#authenticatorData(options.rpId, USER_PRESENT, deviations)
    const { tamper = (bytes: Buffer) => bytes, userHandle = this.#userHandle } = deviations
    return {
      challenge_id,
      id: base64url(this.id),
      rawId: base64url(this.id),
      type: 'public-key',
      response: {
        clientDataJSON: base64url(clientData),
        authenticatorData: base64url(tamper(Buffer.from(data))),
        signature: base64url(this.#sign(data, clientData)),
        userHandle,
      },
    }
  }

  #authenticatorData(rpId: string, flags: number, deviations: Deviations, credential = Buffer.alloc(0)): Buffer {
    const counter = deviations.counter ?? this.counter
    if (this.counter > 0) this.counter++
    const uint32 = Buffer.alloc(4)
    uint32.writeUInt32BE(counter)
    return Buffer.concat([sha256(deviations.rpId ?? rpId), Buffer.of(deviations.flags ?? flags), uint32, credential])
  }

  #statement(data: Buffer, clientData: Buffer): Map<Cbor, Cbor> {
    if (this.#attestation === 'none') return new Map()
    return new Map<Cbor, Cbor>([
      ['alg', this.#algorithm === 'ES256' ? -7 : -8],
      ['sig', this.#sign(data, clientData)],
    ])
  }

  #sign(data: Buffer, clientData: Buffer): Buffer {
    const hash = this.#algorithm === 'ES256' ? 'sha256' : null
    return sign(hash, Buffer.concat([data, sha256(clientData)]), this.#privateKey)
  }
}

/** The form that the documents show: every field at the top level. */
export function flat({ challenge_id, id, response }: ReturnType<Authenticator['create'] | Authenticator['get']>) {
  const { clientDataJSON: client_data_json } = response
  const common = { challenge_id, credential_id: id, client_data_json }
  if ('attestationObject' in response) return { ...common, attestation_object: response.attestationObject }
  const { authenticatorData: authenticator_data, signature, userHandle: user_handle } = response
  return { ...common, authenticator_data, signature, user_handle }
}

function clientDataOf(type: string, challenge: string, deviations: Deviations): Buffer {
  const { origin = ORIGIN } = deviations
  return Buffer.from(JSON.stringify({ type: deviations.type ?? type, challenge, origin, crossOrigin: false }))
}

function uint16(value: number): Buffer {
  return Buffer.of(value >> 8, value & 0xff)
}

/** A public key as authenticators write it: key type, algorithm, curve, coordinates. */
function coseKey(key: KeyObject): Map<Cbor, Cbor> {
  const { kty, x = '', y = '' } = key.export({ format: 'jwk' })
  const coordinate = (text: string) => Buffer.from(text, 'base64url')
  const [type, algorithm, curve] = kty === 'EC' ? [2, -7, 1] : [1, -8, 6]
  return new Map<Cbor, Cbor>([
    [1, type],
    [3, algorithm],
    [-1, curve],
    [-2, coordinate(x)],
    ...(kty === 'EC' ? ([[-3, coordinate(y)]] as const) : []),
  ])
}
