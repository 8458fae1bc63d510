import { randomBytes } from 'node:crypto'
import { vectorHead } from '@vox/protocol'
import { keyPackageReference } from '../../src/features/keys/key-packages.ts'

/*
 * MLS messages as far as a server looks into them (spec 05, sections 13.1 and 14.5): layouts are right, keys and
 * signatures are random bytes.
 */

const vector = (...parts: Uint8Array[]): Buffer => {
  const content = Buffer.concat(parts)
  return Buffer.concat([vectorHead(content.length), content])
}

const u8 = (value: number): Buffer => Buffer.from([value])

const u16 = (...values: number[]): Buffer => {
  const bytes = Buffer.alloc(2 * values.length)
  values.forEach((value, index) => void bytes.writeUInt16BE(value, 2 * index))
  return bytes
}

const u64 = (value: bigint): Buffer => {
  const bytes = Buffer.alloc(8)
  bytes.writeBigUInt64BE(value)
  return bytes
}

export interface KeyPackageOptions {
  version?: number
  suite?: number
  credential?: number
  signatureKey?: Uint8Array
  /** Unix seconds. */
  notAfter?: number
  isLastResort?: boolean
  /** Bytes of an extension, to make the package larger. */
  padding?: number
}

/** Far from now, whatever clock a test goes by; Unix seconds. */
const LATER = Date.UTC(2100, 0, 1) / 1000

/** A key package of the device with this identity, different every time. */
export function keyPackage(identity: string, options: KeyPackageOptions = {}): Buffer {
  const { version = 1, suite = 1, credential = 1, signatureKey = Buffer.alloc(32, 7), notAfter = LATER } = options
  const extensions = [
    ...(options.isLastResort ? [u16(10), vector()] : []),
    ...(options.padding ? [u16(0xff00), vector(Buffer.alloc(options.padding))] : []),
  ]
  return Buffer.concat([
    u16(version, suite),
    vector(randomBytes(32)),
    vector(randomBytes(32)),
    vector(signatureKey),
    u16(credential),
    vector(Buffer.from(identity)),
    vector(u16(1)),
    vector(u16(1, 2, 3, 0x4d)),
    vector(u16(10)),
    vector(),
    vector(u16(1)),
    u8(1),
    u64(0n),
    u64(BigInt(notAfter)),
    vector(),
    vector(randomBytes(64)),
    vector(...extensions),
    vector(randomBytes(64)),
  ])
}

/** Several packages of one device in base64. */
export const keyPackages = (identity: string, count: number, options?: KeyPackageOptions): string[] =>
  Array.from({ length: count }, () => keyPackage(identity, options).toString('base64'))

const CONTENT = { application: 1, proposal: 2, commit: 3 } as const

/** A message to a group, private unless it is to be public, in base64. */
export function groupMessage(
  group: string,
  epoch: bigint | number,
  content: keyof typeof CONTENT = 'commit',
  { isPublic = false } = {},
): string {
  const sender = Buffer.concat([u8(1), u16(0, 3), vector()])
  return Buffer.concat([
    u16(1, isPublic ? 1 : 2),
    vector(Buffer.from(group)),
    u64(BigInt(epoch)),
    ...(isPublic ? [sender] : []),
    u8(CONTENT[content]),
    vector(randomBytes(48)),
  ]).toString('base64')
}

/** A Welcome for the owners of these packages, in base64. */
export function welcome(packages: readonly string[], { isBare = false } = {}): string {
  const secrets = packages.map((text) => {
    const reference = Buffer.from(keyPackageReference(Buffer.from(text, 'base64')), 'hex')
    return Buffer.concat([vector(reference), vector(randomBytes(32)), vector(randomBytes(300))])
  })
  const head = isBare ? [] : [u16(1, 3)]
  return Buffer.concat([...head, u16(1), vector(...secrets), vector(randomBytes(100))]).toString('base64')
}
