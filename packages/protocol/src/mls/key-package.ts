import { MlsReader, MlsRefusal } from './encoding.ts'

/** Largest key package, in bytes (spec 05, section 6). */
export const MAX_KEY_PACKAGE_BYTES = 4096

/** What is to be known of a key package (spec 05, section 14.5). */
export interface KeyPackage {
  /** The package itself, without the head of an MLSMessage. */
  bytes: Uint8Array
  /** Of the basic credential: `<user id>:<device id>`. */
  identity: string
  /** The Ed25519 key of the device. */
  signatureKey: Uint8Array
  /** Unix seconds. */
  notBefore: bigint
  /** Unix seconds. */
  notAfter: bigint
  /** Whether it may be handed out again and again. */
  isLastResort: boolean
}

const VERSION = 1
const CIPHER_SUITE = 1
const BASIC_CREDENTIAL = 1
const FROM_KEY_PACKAGE = 1
const LAST_RESORT = 10

/** Head of an MLSMessage that holds a key package. */
const MESSAGE_HEAD = [0, 1, 0, 5]

/**
 * Reads a key package, bare or as an MLSMessage. Its signatures are not verified: whoever adds its owner does that.
 *
 * @throws MlsRefusal if it is none of version 1 and cipher suite 1 with a basic credential, or is too large.
 */
export function readKeyPackage(input: Uint8Array): KeyPackage {
  const isMessage = new MlsReader(input).skip(MESSAGE_HEAD)
  const bytes = isMessage ? input.subarray(MESSAGE_HEAD.length) : input
  if (bytes.length > MAX_KEY_PACKAGE_BYTES) throw new MlsRefusal(`it is longer than ${MAX_KEY_PACKAGE_BYTES} bytes`)
  const reader = new MlsReader(bytes)
  expect(reader.u16(), VERSION, 'version')
  expect(reader.u16(), CIPHER_SUITE, 'cipher suite')
  reader.vector() // init key
  const leaf = readLeafNode(reader)
  const extensions = readExtensions(reader)
  reader.vector() // signature
  reader.end()
  return { bytes, ...leaf, isLastResort: extensions.includes(LAST_RESORT) }
}

function readLeafNode(reader: MlsReader) {
  reader.vector() // encryption key
  const signatureKey = reader.vector()
  expect(reader.u16(), BASIC_CREDENTIAL, 'credential type')
  const identity = text(reader.vector())
  readCapabilities(reader)
  expect(reader.u8(), FROM_KEY_PACKAGE, 'source of the leaf node')
  const notBefore = reader.u64()
  const notAfter = reader.u64()
  readExtensions(reader)
  reader.vector() // signature
  return { signatureKey, identity, notBefore, notAfter }
}

/** Versions, cipher suites, extensions, proposals and credentials. */
function readCapabilities(reader: MlsReader): void {
  for (let kind = 0; kind < 5; kind++) reader.list((element) => element.u16())
}

/** The types of extensions. */
function readExtensions(reader: MlsReader): number[] {
  return reader.list((extension) => {
    const type = extension.u16()
    extension.vector()
    return type
  })
}

function expect(found: number, wanted: number, what: string): void {
  if (found !== wanted) throw new MlsRefusal(`the ${what} is ${found}, not ${wanted}`)
}

function text(bytes: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)
  } catch {
    throw new MlsRefusal('the identity is not UTF-8')
  }
}
