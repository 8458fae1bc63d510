import { accepting, Fields, List, Maybe, Nullable, OneOf, refine, type Static, Text } from './schema.ts'

const Choice = Fields({
  label: Text({ max: 100 }),
  value: Text({ max: 100 }),
  description: Maybe(Nullable(Text({ max: 100 }))),
})

/**
 * Something to press or choose from that a bot puts under its message (spec 04, section 1.4). A button needs a `label`,
 * a select `options`. `component_id` and `id` are other spellings of `custom_id`.
 */
export const Component = refine(
  accepting(
    Fields({
      type: OneOf('button', 'select'),
      custom_id: Text({ min: 1, max: 100 }),
      label: Maybe(Text({ max: 80 })),
      style: Maybe(Text({ max: 32 })),
      options: Maybe(List(Choice, { min: 1, max: 25 })),
      placeholder: Maybe(Nullable(Text({ max: 150 }))),
    }),
    withCustomId,
  ),
  ({ type, label, options }) => {
    if (type === 'button') return label === undefined ? 'needs a label' : undefined
    return options === undefined ? 'needs options' : undefined
  },
)
/** A component as a bot gives it. */
export type Component = Static<typeof Component>

/** All components of a message; no `custom_id` twice. */
export const Components = refine(List(Component, { max: 25 }), (components) =>
  new Set(components.map(({ custom_id }) => custom_id)).size < components.length ? 'has a custom_id twice' : undefined,
)

function withCustomId(raw: unknown): unknown {
  if (typeof raw !== 'object' || raw === null) return raw
  const { custom_id, component_id, id } = raw as Record<string, unknown>
  return { ...raw, custom_id: custom_id ?? component_id ?? id }
}

/** A component as messages show it: the fields of its type, `component_id` repeating `custom_id`. */
export function shownComponent({ type, custom_id, ...given }: Component): Record<string, unknown> {
  const ids = { custom_id, component_id: custom_id }
  if (type === 'button') return { type, label: given.label, ...ids, style: given.style ?? 'primary' }
  const options = given.options?.map(({ label, value, description = null }) => ({ label, value, description }))
  return { type, ...ids, options, placeholder: given.placeholder ?? null }
}
