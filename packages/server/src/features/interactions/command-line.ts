/** A message that calls a command, taken apart. */
export interface CommandLine {
  name: string
  words: readonly string[]
}

/** Takes a message apart that begins like a command; undefined if it names none (spec 04, section 11.4). */
export function commandLine(body: string | null | undefined): CommandLine | undefined {
  if (!body?.startsWith('/')) return undefined
  const [name = '', ...words] = body.slice(1).split(/\p{White_Space}+/u)
  return name === '' ? undefined : { name, words: words.filter((word) => word !== '') }
}

/**
 * What the words give to the parameters: `key=value` a text, a bare word `true`; later ones win. The bare words also
 * fill, in their order, the declared parameters that none of the words names.
 */
export function paramsOf(words: readonly string[], declared: readonly string[]): Record<string, string | true> {
  const given = words.map((word): [string, string | true] => {
    const end = word.indexOf('=')
    return end === -1 ? [word, true] : [word.slice(0, end), word.slice(end + 1)]
  })
  const named = new Set(given.map(([name]) => name))
  const unnamed = declared.filter((name) => !named.has(name))
  const bare = given.filter(([name, value]) => value === true && !declared.includes(name)).map(([name]) => name)
  const filled = unnamed.flatMap((name, i): [string, string][] => (bare[i] === undefined ? [] : [[name, bare[i]]]))
  // A word may be `__proto__`, which is a key like any other here.
  return Object.fromEntries([...given, ...filled])
}
