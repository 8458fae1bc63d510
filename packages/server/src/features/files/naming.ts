import type { UploadedFile } from '../../http/form.ts'
import { HEAD_BYTES, recognize } from './recognition.ts'

/** Type of what is neither recognised nor declared. */
export const UNKNOWN_TYPE = 'application/octet-stream'

const MAX_NAME = 255
const MAX_TYPE = 127

/** A name for people, with nothing in it that could be taken for a path (spec 04, section 7.2). */
export function displayName(...candidates: (string | undefined)[]): string {
  const given = candidates.find((name) => name) ?? ''
  const harmless = given.replace(/[\p{Cc}/\\]/gu, '')
  return Array.from(harmless).slice(0, MAX_NAME).join('') || 'upload'
}

/** A declared type without its parameters, in lower case; undefined if it has not the form of one. */
export function declaredType(declared: string | undefined): string | undefined {
  const type = (declared?.split(';')[0] ?? '').trim().toLowerCase()
  return type.length <= MAX_TYPE && /^[\w!#$%&'*+.^`|~-]+\/[\w!#$%&'*+.^`|~-]+$/.test(type) ? type : undefined
}

/** The type that a file's content gives away, if it does. */
export async function recognizedType({ content }: UploadedFile): Promise<string | undefined> {
  return recognize(await content.read(0, HEAD_BYTES))
}
