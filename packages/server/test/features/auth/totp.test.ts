import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { Secret } from 'otpauth'
import { codeDigits, matchingSteps, provisioningUri } from '../../../src/features/auth/totp.ts'

/** RFC 6238, appendix B, SHA-1; codes cut to their last six digits, time in seconds. */
const VECTORS = [
  [59, '287082'],
  [1_111_111_109, '081804'],
  [1_111_111_111, '050471'],
  [1_234_567_890, '005924'],
  [2_000_000_000, '279037'],
  [20_000_000_000, '353130'],
] as const
const SECRET = Secret.fromUTF8('12345678901234567890').base32

const stepOf = (seconds: number) => Math.floor(seconds / 30)

describe('TOTP codes', () => {
  it('are those of RFC 6238', () => {
    for (const [time, code] of VECTORS)
      assert.deepEqual(matchingSteps(SECRET, code, time * 1000), [stepOf(time)], String(time))
  })

  it('hold in their own step, the one before and the one after', () => {
    const [, [time, code]] = VECTORS
    for (const [offset, holds] of [
      [-60, false],
      [-30, true],
      [0, true],
      [30, true],
      [60, false],
    ] as const)
      assert.deepEqual(matchingSteps(SECRET, code, (time + offset) * 1000), holds ? [stepOf(time)] : [], String(offset))
  })

  it('may have white space anywhere', () => {
    const [[time, code]] = VECTORS
    for (const typed of [` ${code}`, '287 082', '287\u00a0082', '2 8 7\t0 8 2\n'])
      assert.deepEqual(matchingSteps(SECRET, typed, time * 1000), [stepOf(time)], JSON.stringify(typed))
  })

  it('are six ASCII digits, and whatever else somebody sends is no code', () => {
    for (const typed of ['', '28708', '2870820', '28708a', '٢٨٧٠٨٢', '-28708', '287082.']) {
      assert.equal(codeDigits(typed), undefined, typed)
      assert.deepEqual(matchingSteps(SECRET, typed, 59_000), [], typed)
    }
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), fc.nat(2 ** 40), (typed, now) => {
        const digits = codeDigits(typed)
        assert.ok(digits === undefined ? matchingSteps(SECRET, typed, now).length === 0 : /^[0-9]{6}$/.test(digits))
      }),
    )
  })
})

describe('the provisioning URI', () => {
  it('holds the name percent-encoded, and no parameter that has its default', () => {
    assert.equal(provisioningUri('ada', 'ABC'), 'otpauth://totp/Vox:ada?secret=ABC&issuer=Vox')
    assert.equal(provisioningUri('Zoë ?', 'ABC'), 'otpauth://totp/Vox:Zo%C3%AB%20%3F?secret=ABC&issuer=Vox')
  })
})
