/** The bytes of base64 in its one standard form: no other alphabet, nothing missing, nothing between (spec 05, head). */
export function decodeBase64(text: string): Buffer | undefined {
  const bytes = Buffer.from(text, 'base64')
  return bytes.toString('base64') === text ? bytes : undefined
}
