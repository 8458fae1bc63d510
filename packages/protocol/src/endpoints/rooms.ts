import { endpoint } from '../endpoint.ts'
import { Fields, Id, Integer, List, Maybe, Nullable, OneOf, type Static, Text } from '../schema.ts'
import { ChannelName, InitialOverrides, Items, OverrideObject } from './common.ts'

/** A voice or stage room (spec 03, section 13). */
export const RoomObject = Fields({
  room_id: Id,
  name: Text(),
  type: OneOf('voice', 'stage'),
  category_id: Nullable(Id),
  position: Integer(),
  permission_overrides: List(OverrideObject),
  topic: Nullable(Text()),
  user_limit: Integer(0),
  bitrate: Integer(0),
})
/** A voice or stage room. */
export type RoomObject = Static<typeof RoomObject>

const RoomParams = Fields({ room_id: Id })

/** What may be said of a room, whenever it is said. */
const properties = { user_limit: Maybe(Integer(0, 10_000)), bitrate: Maybe(Integer(8_000, 512_000)) }

/** Rooms the caller sees, in the order of the layout (spec 03, section 13). */
export const listRooms = endpoint({
  method: 'GET',
  path: '/rooms',
  summary: 'Rooms you can see',
  auth: 'session',
  reply: { 200: Items(RoomObject) },
})

/** One room; one that the caller cannot see does not exist (spec 03, section 13). */
export const getRoom = endpoint({
  method: 'GET',
  path: '/rooms/:room_id',
  summary: 'Read a room',
  auth: 'session',
  params: RoomParams,
  reply: { 200: RoomObject },
  errors: ['SPACE_NOT_FOUND'],
})

/** Creates a room, last in its category (spec 03, section 13). */
export const createRoom = endpoint({
  method: 'POST',
  path: '/rooms',
  summary: 'Create a room',
  auth: 'session',
  requires: { permission: 'MANAGE_SPACES' },
  body: Fields({
    name: ChannelName,
    type: OneOf('voice', 'stage'),
    category_id: Maybe(Id),
    permission_overrides: Maybe(InitialOverrides),
    ...properties,
  }),
  reply: { 201: RoomObject },
  errors: ['MISSING_PERMISSIONS', 'ROLE_HIERARCHY', 'SPACE_NOT_FOUND', 'USER_NOT_FOUND', 'INVALID_OPERATION'],
})

/** Changes a room or moves it; `category_id` null takes it out of its category (spec 03, section 13). */
export const editRoom = endpoint({
  method: 'PATCH',
  path: '/rooms/:room_id',
  summary: 'Change or move a room',
  auth: 'session',
  requires: { permission: 'MANAGE_SPACES' },
  params: RoomParams,
  body: Fields({
    name: Maybe(ChannelName),
    ...properties,
    category_id: Maybe(Nullable(Id)),
    position: Maybe(Integer()),
  }),
  reply: { 200: RoomObject },
  errors: ['MISSING_PERMISSIONS', 'SPACE_NOT_FOUND'],
})

/** Deletes a room (spec 03, section 13). */
export const deleteRoom = endpoint({
  method: 'DELETE',
  path: '/rooms/:room_id',
  summary: 'Delete a room',
  auth: 'session',
  requires: { permission: 'MANAGE_SPACES' },
  params: RoomParams,
  reply: { 204: null },
  errors: ['MISSING_PERMISSIONS', 'SPACE_NOT_FOUND'],
})
