import { parseJson } from '@vox/protocol'
import { entries, type Kind } from './kinds.ts'

/** Media types and patterns in lower case without parameters (spec 01, section 10.5). Empty: everything is allowed. */
export type MimeList = readonly string[]

/** Comma-separated, or a JSON array of strings. */
export const mimeList: Kind<MimeList> = {
  expects: 'a list of media types such as image/png,video/* (or a JSON array of them)',
  parse(text) {
    const types = (text.trim().startsWith('[') ? jsonStrings(text) : entries(text))?.map(essence)
    return types?.every((type) => /^[^\s/,]+\/[^\s/,]+$/.test(type)) ? types : undefined
  },
}

/** Whether a list lets a content type pass. */
export function mimeAllowed(list: MimeList, type: string): boolean {
  const wanted = essence(type)
  const matches = (entry: string) =>
    entry === '*/*' || entry === wanted || (entry.endsWith('/*') && wanted.startsWith(entry.slice(0, -1)))
  return list.length === 0 || list.some(matches)
}

/** The type itself: no parameters, lower case. */
const essence = (type: string): string => (type.split(';')[0] ?? '').trim().toLowerCase()

function jsonStrings(text: string): string[] | undefined {
  try {
    const value = parseJson(text)
    return Array.isArray(value) && value.every((entry) => typeof entry === 'string') ? value : undefined
  } catch {
    return undefined
  }
}
