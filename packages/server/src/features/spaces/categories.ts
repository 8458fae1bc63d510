import { ApiError, categoryCreate, categoryDelete, categoryUpdate, type Static } from '@vox/protocol'
import type { CategoryObject, createCategory, editCategory } from '@vox/protocol/endpoints'
import { type Category, inOrder } from '../../community/layout.ts'
import type { Work } from '../../events/work.ts'
import { isEmpty } from '../../patches.ts'
import type { Services } from '../../services.ts'
import { demandSpaceManager } from './creation.ts'
import { endOf, group, makeRoom } from './order.ts'
import { place, positions } from './places.ts'

/** Categories a server may have (spec 03, section 20). */
const MAX_CATEGORIES = 500

const LAST_POSITION = 2 ** 31 - 1
const EVERYBODY = { to: 'members' } as const

type NewCategory = Static<NonNullable<typeof createCategory.body>>
type CategoryPatch = Static<NonNullable<typeof editCategory.body>>

/** Categories (spec 03, section 14). */
export class CategoryService {
  readonly #services: Services

  constructor(services: Services) {
    this.#services = services
  }

  list(): CategoryObject[] {
    return inOrder(this.#categories)
  }

  get(categoryId: number): CategoryObject {
    const category = this.#categories.get(categoryId)
    if (!category) throw new ApiError('SPACE_NOT_FOUND')
    return category
  }

  create(callerId: number, { name, position }: NewCategory): Promise<CategoryObject> {
    const { work, community } = this.#services
    return work.run(async (job) => {
      demandSpaceManager(community, callerId)
      if (this.#categories.size >= MAX_CATEGORIES)
        throw new ApiError('INVALID_OPERATION', { message: `A server has at most ${MAX_CATEGORIES} categories.` })
      const row = { name, position: position ?? this.#end }
      const category = await job.db.insertInto('categories').values(row).returningAll().executeTakeFirstOrThrow()
      show(job, category)
      job.emit(categoryCreate, category, EVERYBODY)
      job.audit({ type: 'category.create', actor: callerId, target: category.category_id })
      return category
    })
  }

  edit(callerId: number, categoryId: number, patch: CategoryPatch): Promise<CategoryObject> {
    const { work, community } = this.#services
    return work.run(async (job) => {
      demandSpaceManager(community, callerId)
      const before = this.get(categoryId)
      if (isEmpty(patch)) return before
      const { position, siblings } = this.#move(before, patch.position)
      const values = { ...patch, ...(patch.position !== undefined && { position }) }
      await job.db.updateTable('categories').set(values).where('category_id', '=', categoryId).execute()
      const after = { ...before, ...values }
      show(job, after)
      job.emit(categoryUpdate, { category_id: categoryId, ...values }, EVERYBODY)
      await renumber(job, siblings)
      job.audit({ type: 'category.update', actor: callerId, target: categoryId, metadata: patch })
      return after
    })
  }

  /** The spaces of the category stay, at the end of those without one, in their order. */
  delete(callerId: number, categoryId: number): Promise<void> {
    const { work, community } = this.#services
    return work.run(async (job) => {
      const { layout } = community
      demandSpaceManager(community, callerId)
      const { name } = this.get(categoryId)
      const end = endOf(layout, null)
      const left = group(layout, categoryId)
      await place(
        job,
        layout,
        left.map((space, index) => ({ ...space, categoryId: null, position: end + index })),
      )
      await job.db.deleteFrom('categories').where('category_id', '=', categoryId).execute()
      job.change((picture) => picture.layout.categories.delete(categoryId))
      job.emit(categoryDelete, { category_id: categoryId }, EVERYBODY)
      job.audit({ type: 'category.delete', actor: callerId, target: categoryId, metadata: { name } })
    })
  }

  /** Puts the category in at an index, if one is given; says which others have to make room. */
  #move(category: Category, index: number | undefined): { position: number; siblings: Category[] } {
    if (index === undefined) return { position: category.position, siblings: [] }
    const others = inOrder(this.#categories).filter(({ category_id }) => category_id !== category.category_id)
    return makeRoom(others, index)
  }

  get #end(): number {
    const positions = [...this.#categories.values()].map(({ position }) => position)
    return Math.min(LAST_POSITION, Math.max(-1, ...positions) + 1)
  }

  get #categories(): ReadonlyMap<number, Category> {
    return this.#services.community.layout.categories
  }
}

function show(job: Work, category: Category): void {
  job.change((picture) => picture.layout.categories.set(category.category_id, category))
}

/** Gives categories new numbers: in the database, in the picture and for everybody. */
async function renumber(job: Work, categories: readonly Category[]): Promise<void> {
  if (categories.length === 0) return
  const places = categories.map(({ category_id: id, position }) => ({ id, position }))
  await job.db
    .updateTable('categories')
    .set({ position: positions('category_id', places) })
    .where(
      'category_id',
      'in',
      places.map(({ id }) => id),
    )
    .execute()
  for (const category of categories) {
    show(job, category)
    job.emit(categoryUpdate, { category_id: category.category_id, position: category.position }, EVERYBODY)
  }
}
