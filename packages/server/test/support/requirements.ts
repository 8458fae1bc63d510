const REQUIRED = new Set(process.env.VOX_TEST_REQUIRE?.split(','))

/**
 * Why tests that need something of the machine are left out, if it is missing: the option `skip` of a test. Whoever
 * names the need in `VOX_TEST_REQUIRE` gets an error instead.
 */
export function leftOut(need: string, isMissing: boolean, reason: string): string | false {
  if (!isMissing) return false
  if (REQUIRED.has(need)) throw new Error(`VOX_TEST_REQUIRE asks for ${need}, but ${reason}.`)
  return `${reason}; VOX_TEST_REQUIRE=${need} makes that an error`
}
