import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { Components, DEFAULT_LIMITS, DecodeError, decode, shownComponent } from '../src/index.ts'

const read = (value: unknown) => decode(Components, value, DEFAULT_LIMITS)
const BUTTON = { type: 'button', label: 'Yes', custom_id: 'yes' }
const CHOICE = { label: 'Red', value: 'r' }
const SELECT = { type: 'select', custom_id: 'color', options: [CHOICE] }

describe('a component', () => {
  it('is shown with all fields of its type', () => {
    const shown = read([{ ...BUTTON, options: [CHOICE], footer: 1 }, SELECT]).map(shownComponent)
    assert.deepEqual(shown, [
      { type: 'button', label: 'Yes', custom_id: 'yes', component_id: 'yes', style: 'primary' },
      {
        type: 'select',
        custom_id: 'color',
        component_id: 'color',
        options: [{ label: 'Red', value: 'r', description: null }],
        placeholder: null,
      },
    ])
    const given = { ...SELECT, options: [{ ...CHOICE, description: 'like blood' }], placeholder: 'Which?' }
    assert.deepEqual(shownComponent(read([given])[0] ?? assert.fail()), { ...given, component_id: 'color' })
  })

  it('may spell its id in other ways; the main one wins', () => {
    const ids = (...components: object[]) => read(components).map(({ custom_id }) => custom_id)
    const unnamed = { type: 'button', label: 'Yes' }
    assert.deepEqual(
      ids({ ...unnamed, component_id: 'a' }, { ...unnamed, id: 'b' }, { ...BUTTON, id: 'c', component_id: 'd' }),
      ['a', 'b', 'yes'],
    )
  })

  it('has an id of its own', () => {
    assert.throws(() => read([BUTTON, { ...SELECT, id: 'yes', custom_id: undefined }]), DecodeError)
  })

  const text = (length: number) => '😀'.repeat(length)
  const BOUNDS: [name: string, fits: object, tooMuch: object][] = [
    ['label', { ...BUTTON, label: text(80) }, { ...BUTTON, label: text(81) }],
    ['style', { ...BUTTON, style: text(32) }, { ...BUTTON, style: text(33) }],
    ['id', { ...BUTTON, custom_id: text(100) }, { ...BUTTON, custom_id: text(101) }],
    ['placeholder', { ...SELECT, placeholder: text(150) }, { ...SELECT, placeholder: text(151) }],
    [
      'number of options',
      { ...SELECT, options: Array(25).fill(CHOICE) },
      { ...SELECT, options: Array(26).fill(CHOICE) },
    ],
    ...(['label', 'value', 'description'] as const).map((key): [string, object, object] => [
      `${key} of an option`,
      { ...SELECT, options: [{ ...CHOICE, [key]: text(100) }] },
      { ...SELECT, options: [{ ...CHOICE, [key]: text(101) }] },
    ]),
  ]
  for (const [name, fits, tooMuch] of BOUNDS)
    it(`is bounded in its ${name}`, () => {
      read([fits])
      assert.throws(() => read([tooMuch]), DecodeError)
    })

  it('is one of at most 25', () => {
    const buttons = (count: number) => Array.from({ length: count }, (_, n) => ({ ...BUTTON, custom_id: String(n) }))
    assert.equal(read(buttons(25)).length, 25)
    assert.throws(() => read(buttons(26)), DecodeError)
  })

  it('is refused without what its type needs', () => {
    for (const wrong of [
      {},
      { ...BUTTON, type: 'slider' },
      { ...BUTTON, label: undefined },
      { ...BUTTON, custom_id: '' },
      { ...BUTTON, custom_id: undefined },
      { ...SELECT, options: undefined },
      { ...SELECT, options: [] },
      { ...SELECT, options: [{ label: 'x' }] },
      null,
      'x',
      [],
    ])
      assert.throws(() => read([wrong]), DecodeError, JSON.stringify(wrong))
  })
})
