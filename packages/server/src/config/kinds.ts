import type { RateLimit } from '@vox/protocol'
import { maskPassword, parseDatabaseUrl } from '../db/url.ts'

/** How the text of a variable, a database row or a flag becomes a value. */
export interface Kind<T> {
  /** What is valid; completes the sentence "It must be …". */
  expects: string
  /** Undefined for text that is not valid. */
  parse(text: string): T | undefined
  /** An empty variable counts as unset rather than as the empty text. */
  emptyIsUnset?: true
  /** The text as a message may show it, where it can hold a password. */
  mask?(text: string): string
}

export const text: Kind<string> = { expects: 'any text', parse: (text) => text }

export const nonEmptyText: Kind<string> = {
  expects: 'a text that is not empty',
  parse: (text) => text.trim() || undefined,
}

/** Turns empty text into null, so that an empty variable switches off what the database row or default gives. */
export const optional = <T>({ expects, parse }: Kind<T>): Kind<T | null> => ({
  expects,
  parse: (text) => (text.trim() === '' ? null : parse(text)),
})

const INT32_MAX = 2 ** 31 - 1

export const integer = (min: number, max = INT32_MAX): Kind<number> => ({
  expects: `a whole number from ${min} to ${max}`,
  emptyIsUnset: true,
  parse(text) {
    const digits = text.trim()
    const value = Number(digits)
    return /^[+-]?\d+$/.test(digits) && value >= min && value <= max ? value : undefined
  },
})

const TRUE = new Set(['true', '1', 'yes', 'y', 'on', 't'])
const FALSE = new Set(['false', '0', 'no', 'n', 'off', 'f'])

export const boolean: Kind<boolean> = {
  expects: 'true or false',
  emptyIsUnset: true,
  parse(text) {
    const word = text.trim().toLowerCase()
    if (TRUE.has(word)) return true
    return FALSE.has(word) ? false : undefined
  },
}

/** One of some lower-case words, in any case. */
export const choice = <const W extends string>(...words: readonly [W, W, ...W[]]): Kind<W> => ({
  expects: alternatives(words),
  parse(text) {
    const wanted = text.trim().toLowerCase()
    return words.find((word) => word === wanted)
  },
})

/** Comma-separated entries, each put into its final form by `entry` (undefined: not valid). */
export const list = <T>(expects: string, entry: (text: string) => T | undefined): Kind<readonly T[]> => ({
  expects,
  parse(text) {
    const parsed = entries(text).map(entry)
    return parsed.every((value) => value !== undefined) ? parsed : undefined
  },
})

/** Comma-separated entries without the spaces around them; empty ones are dropped. */
export function entries(text: string): string[] {
  return text
    .split(',')
    .map((entry) => entry.trim())
    .filter((entry) => entry !== '')
}

/** An absolute URL without query string and fragment, kept as it is written. */
export const url = (...schemes: readonly [string, ...string[]]): Kind<string> => ({
  expects: `a URL that begins with ${alternatives(schemes.map((scheme) => `${scheme}://`))} and has no ? or #`,
  parse(text) {
    const written = text.trim()
    const [, scheme = ''] = /^([a-z]+):\/\/[^\s?#]+$/i.exec(written) ?? []
    return schemes.includes(scheme.toLowerCase()) && URL.canParse(written) ? written : undefined
  },
})

function alternatives(words: readonly string[]): string {
  return [words.slice(0, -1).join(', '), ...words.slice(-1)].filter((part) => part !== '').join(' or ')
}

/** `<burst>:<refill>`: requests at once, then requests per second (spec 01, section 8.1). */
export const rateLimit: Kind<RateLimit> = {
  expects: 'burst:refill, for example 20:0.5 for 20 requests at once and then one every two seconds',
  emptyIsUnset: true,
  parse(text) {
    const [, burst, refill] = /^([1-9]\d{0,8}):(\d{1,9}(?:\.\d+)?)$/.exec(text.trim()) ?? []
    return Number(refill) > 0 ? { burst: Number(burst), refill: Number(refill) } : undefined
  },
}

/** Kept as it is written; whoever opens the database takes it apart. */
export const databaseUrl: Kind<string> = {
  expects: 'sqlite+aiosqlite:///file.db or postgresql://user:password@host:port/name',
  mask: maskPassword,
  parse(text) {
    try {
      parseDatabaseUrl(text)
      return text
    } catch {
      return undefined
    }
  },
}
