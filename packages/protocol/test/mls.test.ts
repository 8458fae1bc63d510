import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { MlsReader, MlsRefusal, readGroupMessage, readKeyPackage, readWelcome, vectorHead } from '../src/index.ts'

const hex = (text: string): Uint8Array => Buffer.from(text.replaceAll(' ', ''), 'hex')

/** The package of spec 05, section 20. */
const PACKAGE = Buffer.from(
  'AAEAASCrlFFXjUaYCe8voIK8UXHcpHjtC0FgW6mu3XQ2pjmkdCDR0Kw81K1hv7GveFyozNJK4K7NL/VnVWiESYK9XFGUCSCwbQmUFc3L6fQ80f29' +
    '/w/hP2RMhQkrvkUEhRk+VLjwlQABBzc6ZGV2LWICAAECAAEAAAIAAQEAAAAAZVPxAAAAAABlwq8AAEBARZbOBEoiAxI+a6QPccq9FZo18WX71BBV' +
    'onVBaUOZJtY6+sGEREIXW2Q/QaA2CTmgw1xWxIUIt/Y6pTKdhyGKDQBAQLfh8KU6+khJXuzALKzGjwmqD1Duzjl5vQf3HcZDrvbaatE/R7ZO4KUl' +
    'fSuLLyD7GFBoc2NwlFTG5FzU4Q4rqQY=',
  'base64',
)

const WELCOME = hex(`0001 0003 0001 2b 20 ${'ab'.repeat(32)} 03 010203 05 0102030405 02 0102`)

const PUBLIC_COMMIT = hex('0001 0001 05 646d3a3432 0000000000000003 01 00000007 00 03')

const READERS = { readKeyPackage, readGroupMessage, readWelcome }

describe('vectors', () => {
  it('begin with their length in as few bytes as it takes', () => {
    for (const [length, head] of [
      [0, '00'],
      [63, '3f'],
      [64, '4040'],
      [16_383, '7fff'],
      [16_384, '80004000'],
      [2 ** 30 - 1, 'bfffffff'],
    ] as const)
      assert.equal(Buffer.from(vectorHead(length)).toString('hex'), head)
  })

  it('are read as they were written', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 20_000 }), fc.uint8Array({ maxLength: 9 }), (content, rest) => {
        const reader = new MlsReader(Buffer.concat([vectorHead(content.length), content, rest]))
        assert.deepEqual(Buffer.from(reader.vector()), Buffer.from(content))
        assert.equal(reader.isAtEnd, rest.length === 0)
      }),
    )
  })

  it('are refused when their length is of another form, or more than there is', () => {
    for (const bytes of ['', '01', '40', '4001 00', '403f', '7fff', '8000', '80003fff', 'bfffffff 00', 'c0', 'ff'])
      assert.throws(() => new MlsReader(hex(bytes)).vector(), MlsRefusal, bytes)
  })
})

describe('a key package', () => {
  it('says whose it is and how long it lives', () => {
    const { bytes, identity, signatureKey, notBefore, notAfter, isLastResort } = readKeyPackage(PACKAGE)
    assert.deepEqual(
      [Buffer.from(bytes), identity, notBefore, notAfter, isLastResort],
      [PACKAGE, '7:dev-b', 1_700_000_000n, 1_707_257_600n, false],
    )
    assert.equal(Buffer.from(signatureKey).toString('base64'), 'sG0JlBXNy+n0PNH9vf8P4T9kTIUJK75FBIUZPlS48JU=')
  })

  it('is the same inside an MLSMessage', () => {
    assert.deepEqual(readKeyPackage(Buffer.concat([hex('00010005'), PACKAGE])), readKeyPackage(PACKAGE))
  })

  it('is refused with anything behind it', () => {
    assert.throws(() => readKeyPackage(Buffer.concat([PACKAGE, hex('00')])), /behind the end/)
  })

  it('is refused when a field that is fixed has another value', () => {
    const identityAt = PACKAGE.indexOf('7:dev-b')
    const sourceAt = PACKAGE.indexOf(hex('01 000000006553f100'))
    for (const at of [1, 3, identityAt - 2, sourceAt]) {
      const changed = Buffer.from(PACKAGE)
      changed[at] = 9
      assert.throws(() => readKeyPackage(changed), /is 9, not 1/)
    }
    const binary = Buffer.from(PACKAGE)
    binary[identityAt] = 0xff
    assert.throws(() => readKeyPackage(binary), /UTF-8/)
  })

  it('is refused beyond 4096 bytes', () => {
    assert.throws(() => readKeyPackage(new Uint8Array(4097)), /longer than 4096/)
    assert.throws(() => readKeyPackage(new Uint8Array(4096)), /version/)
  })
})

describe('a message to a group', () => {
  it('says to which, for which epoch, and what it is', () => {
    const groupId = Buffer.from('dm:42')
    const head = '05 646d3a3432 0000000000000003'
    for (const [number, content] of [
      ['01', 'application'],
      ['02', 'proposal'],
      ['03', 'commit'],
    ]) {
      const { groupId: found, ...rest } = readGroupMessage(hex(`0001 0002 ${head} ${number}`))
      assert.deepEqual([Buffer.from(found), rest], [groupId, { epoch: 3n, content }])
    }
    assert.deepEqual(readGroupMessage(PUBLIC_COMMIT), {
      groupId,
      epoch: 3n,
      content: 'commit',
    })
  })

  it('may be by a sender outside of the group', () => {
    for (const sender of ['02 00000001', '03', '04'])
      assert.equal(readGroupMessage(hex(`0001 0001 00 ffffffffffffffff ${sender} 01 aa 02`)).epoch, 2n ** 64n - 1n)
  })

  it('is refused when it is of another version, format, sender or content', () => {
    for (const bytes of [
      '0002 0002 00 0000000000000000 03',
      '0001 0003 00 0000000000000000 03',
      '0001 0002 00 0000000000000000 04',
      '0001 0001 00 0000000000000000 00 00 03',
      '0001 0001 00 0000000000000000 05 00 03',
    ])
      assert.throws(() => readGroupMessage(hex(bytes)), MlsRefusal)
  })
})

describe('a Welcome', () => {
  it('says for which key packages it is, with and without its head', () => {
    for (const bytes of [WELCOME, WELCOME.subarray(4)])
      assert.deepEqual(
        readWelcome(bytes).map((found) => Buffer.from(found).toString('hex')),
        ['ab'.repeat(32)],
      )
  })

  it('has only references that can be some', () => {
    assert.deepEqual(readWelcome(hex('0001 0003 0001 05 01aa 00 01bb 00')), [])
  })
})

describe('any bytes', () => {
  const isCalm = (bytes: Uint8Array) => {
    for (const read of Object.values(READERS))
      try {
        read(bytes)
      } catch (error) {
        if (!(error instanceof MlsRefusal)) throw error
      }
  }

  it('end in a value or in a refusal', () => {
    fc.assert(fc.property(fc.uint8Array({ maxLength: 5000 }), isCalm))
  })

  it('do so too when they begin like a message, or are a part of one', () => {
    const valid = fc.constantFrom<Uint8Array>(PACKAGE, WELCOME, PUBLIC_COMMIT)
    const change = fc.tuple(fc.nat(300), fc.nat(255))
    fc.assert(
      fc.property(
        valid,
        fc.nat(300),
        fc.array(change, { maxLength: 4 }),
        fc.uint8Array(),
        (bytes, end, changes, rest) => {
          const changed = Uint8Array.from(bytes)
          for (const [at, value] of changes) if (at < changed.length) changed[at] = value
          isCalm(changed.subarray(0, end))
          isCalm(Buffer.concat([changed.subarray(0, end), rest]))
        },
      ),
      { numRuns: 1000 },
    )
  })

  it('cut off at any place are refused', () => {
    for (let end = 0; end < PACKAGE.length; end++)
      assert.throws(() => readKeyPackage(PACKAGE.subarray(0, end)), MlsRefusal)
    for (let end = 0; end < PUBLIC_COMMIT.length; end++)
      assert.throws(() => readGroupMessage(PUBLIC_COMMIT.subarray(0, end)), MlsRefusal)
  })
})
