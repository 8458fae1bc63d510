import { endpoint } from '../endpoint.ts'
import { Fields, Id, Integer, Maybe, type Static, Text } from '../schema.ts'
import { ChannelName, Items } from './common.ts'

/** A category (spec 03, section 14). */
export const CategoryObject = Fields({ category_id: Id, name: Text(), position: Integer() })
/** A category. */
export type CategoryObject = Static<typeof CategoryObject>

const Position = Integer(-(2 ** 31), 2 ** 31 - 1)
const CategoryParams = Fields({ category_id: Id })

/** Every category, in order (spec 03, section 14). */
export const listCategories = endpoint({
  method: 'GET',
  path: '/categories',
  summary: 'All categories, in order',
  auth: 'session',
  reply: { 200: Items(CategoryObject) },
})

/** One category (spec 03, section 14). */
export const getCategory = endpoint({
  method: 'GET',
  path: '/categories/:category_id',
  summary: 'Read a category',
  auth: 'session',
  params: CategoryParams,
  reply: { 200: CategoryObject },
  errors: ['SPACE_NOT_FOUND'],
})

/** Creates a category; without a position, as the last one (spec 03, section 14). */
export const createCategory = endpoint({
  method: 'POST',
  path: '/categories',
  summary: 'Create a category',
  auth: 'session',
  requires: { permission: 'MANAGE_SPACES' },
  body: Fields({ name: ChannelName, position: Maybe(Position) }),
  reply: { 201: CategoryObject },
  errors: ['MISSING_PERMISSIONS', 'INVALID_OPERATION'],
})

/** Renames a category or moves it to another place among all of them (spec 03, section 14). */
export const editCategory = endpoint({
  method: 'PATCH',
  path: '/categories/:category_id',
  summary: 'Rename or move a category',
  auth: 'session',
  requires: { permission: 'MANAGE_SPACES' },
  params: CategoryParams,
  body: Fields({ name: Maybe(ChannelName), position: Maybe(Position) }),
  reply: { 200: CategoryObject },
  errors: ['MISSING_PERMISSIONS', 'SPACE_NOT_FOUND'],
})

/** Deletes a category; its feeds and rooms stay, without category (spec 03, section 14). */
export const deleteCategory = endpoint({
  method: 'DELETE',
  path: '/categories/:category_id',
  summary: 'Delete a category; its feeds and rooms stay',
  auth: 'session',
  requires: { permission: 'MANAGE_SPACES' },
  params: CategoryParams,
  reply: { 204: null },
  errors: ['MISSING_PERMISSIONS', 'SPACE_NOT_FOUND'],
})
