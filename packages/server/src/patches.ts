type Cleared<T, K extends keyof T> = { [P in keyof T]: P extends K ? T[P] | null : T[P] }

/** A patch in which empty text clears these fields: it becomes null (spec 03, head). */
export function cleared<T extends object, K extends keyof T>(patch: T, ...clearable: K[]): Cleared<T, K> {
  const entries = Object.entries(patch).map(([field, value]) => [
    field,
    value === '' && clearable.includes(field as K) ? null : value,
  ])
  return Object.fromEntries(entries)
}

/** Whether a patch gives nothing. */
export const isEmpty = (patch: object): boolean => Object.keys(patch).length === 0
