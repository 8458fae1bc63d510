/** Most lists have this many items to a page unless another number is asked for. */
const USUAL_SIZE = 100

/** Items of one page: the number asked for, at most the configured one. */
export function pageSize({ limit }: { limit?: number }, most: number, usual = USUAL_SIZE): number {
  return Math.min(limit ?? usual, most)
}

/** A page of a list with the key after which the next one begins (spec 01, section 7.2). */
export function pageOf<T>(items: T[], key: (item: T) => unknown): { items: T[]; cursor: string | null } {
  return { items, cursor: cursorOf(items, key) }
}

/** Key of the last item as text; null on an empty page. */
export function cursorOf<T>(items: readonly T[], key: (item: T) => unknown): string | null {
  const last = items.at(-1)
  return last === undefined ? null : String(key(last))
}
