/**
 * The one place where wire text becomes values and values become wire text.
 *
 * Message ids and permission sets are JSON numbers beyond 2^53 (spec 01, section 6.3). Plain `JSON.parse`
 * rounds them; here an integer that a double cannot hold exactly arrives as a `bigint`, every other number as a
 * `number`. Schemas (see decode.ts) then decide which fields are bigint always.
 */

declare global {
  interface JSON {
    /** Text that `JSON.stringify` writes as it is; missing in the standard typings so far. */
    rawJSON(text: string): unknown
  }
}

/** Deepest nesting of arrays and objects accepted from a peer (spec 01, section 2.2). */
export const MAX_DEPTH = 64

/** An integer of at most 64 bits, a zero fraction allowed. Longer ones stay numbers and fail validation later. */
const INTEGER = /^(-?\d{1,20})(?:\.0+)?$/

/**
 * Parses JSON text. Integers outside ±(2^53 − 1) become `bigint`.
 *
 * @throws SyntaxError if the text is not JSON or nests deeper than {@link MAX_DEPTH}.
 */
export function parseJson(text: string): unknown {
  if (nestsDeeperThan(text, MAX_DEPTH)) throw new SyntaxError(`nested deeper than ${MAX_DEPTH} levels`)
  // The reviver makes parsing several times slower, so only texts that can hold a long integer pay for it.
  return /\d{16}/.test(text) ? JSON.parse(text, keepLongIntegers) : JSON.parse(text)
}

/** Writes JSON text; `bigint` values become plain numbers with all their digits. */
export function stringifyJson(value: unknown): string {
  return JSON.stringify(value, writeLongIntegers)
}

function keepLongIntegers(_key: string, value: unknown, context?: { source?: string }): unknown {
  if (typeof value !== 'number' || Number.isSafeInteger(value)) return value
  const digits = INTEGER.exec(context?.source ?? '')?.[1]
  return digits ? BigInt(digits) : value
}

function writeLongIntegers(_key: string, value: unknown): unknown {
  return typeof value === 'bigint' ? JSON.rawJSON(value.toString()) : value
}

function nestsDeeperThan(text: string, limit: number): boolean {
  let depth = 0
  let inString = false
  for (let i = 0; i < text.length; i++) {
    const char = text.charCodeAt(i)
    if (inString) {
      if (char === 0x5c) i++
      else if (char === 0x22) inString = false
    } else if (char === 0x22) inString = true
    else if (char === 0x7b || char === 0x5b) {
      if (++depth > limit) return true
    } else if (char === 0x7d || char === 0x5d) depth--
  }
  return false
}
