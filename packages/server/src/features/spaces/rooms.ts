import { roomCreate, roomDelete, roomUpdate, type Static } from '@vox/protocol'
import type { createRoom, editRoom, RoomObject } from '@vox/protocol/endpoints'
import { inOrder, roomOf } from '../../community/layout.ts'
import type { SpaceRef } from '../../events/audience.ts'
import { roomCreateData } from '../../events/spaces.ts'
import { isEmpty } from '../../patches.ts'
import type { Services } from '../../services.ts'
import { checkCreation, demandSpaceManager } from './creation.ts'
import { roomObject } from './objects.ts'
import { move, placedRoom } from './order.ts'
import { insertOverrides } from './overrides.ts'
import { place } from './places.ts'
import { visibleRoom } from './sight.ts'

/** Bits per second of audio, unless somebody says otherwise (spec 03, section 13). */
const USUAL_BITRATE = 64_000

type NewRoom = Static<NonNullable<typeof createRoom.body>>
type RoomPatch = Static<NonNullable<typeof editRoom.body>>

const ref = (id: number): SpaceRef => ({ type: 'room', id })
const viewersOf = (id: number) => ({ to: 'viewers', space: ref(id) }) as const

/** Voice and stage rooms (spec 03, section 13). */
export class RoomService {
  readonly #services: Services

  constructor(services: Services) {
    this.#services = services
  }

  /** The rooms the user sees, in order. */
  list(userId: number): RoomObject[] {
    const { community } = this.#services
    return inOrder(community.layout.rooms)
      .filter(({ id }) => community.sees(userId, ref(id)))
      .map(roomObject)
  }

  get(userId: number, roomId: number): RoomObject {
    return roomObject(visibleRoom(this.#services.community, userId, roomId))
  }

  create(callerId: number, wanted: NewRoom): Promise<RoomObject> {
    const { work, community } = this.#services
    return work.run(async (job) => {
      const { place: where, overrides } = await checkCreation(job, community, callerId, wanted)
      const { name, type, user_limit = 0, bitrate = USUAL_BITRATE } = wanted
      const row = await job.db
        .insertInto('rooms')
        .values({ name, type, topic: null, user_limit, bitrate, ...where })
        .returningAll()
        .executeTakeFirstOrThrow()
      const room = roomOf(row, overrides)
      await insertOverrides(job, ref(room.id), overrides)
      job.change((picture) => picture.setRoom(room))
      job.emit(roomCreate, roomCreateData(room), viewersOf(room.id))
      job.audit({ type: 'room.create', actor: callerId, target: room.id })
      return roomObject(room)
    })
  }

  edit(callerId: number, roomId: number, patch: RoomPatch): Promise<RoomObject> {
    const { work, community } = this.#services
    return work.run(async (job) => {
      demandSpaceManager(community, callerId)
      const room = visibleRoom(community, callerId, roomId)
      if (isEmpty(patch)) return roomObject(room)
      const { category_id, position, ...fields } = patch
      const moved = move(community.layout, placedRoom(room), patch)
      const row = await job.db
        .updateTable('rooms')
        .set({
          ...fields,
          category_id: moved ? moved.categoryId : room.categoryId,
          position: moved?.position ?? room.position,
        })
        .where('room_id', '=', roomId)
        .returningAll()
        .executeTakeFirstOrThrow()
      const after = roomOf(row, room.overrides)
      job.change((picture) => picture.setRoom(after))
      const whereTo = { ...(category_id !== undefined && { category_id }), ...(moved && { position: moved.position }) }
      job.emit(roomUpdate, { room_id: roomId, ...fields, ...whereTo }, viewersOf(roomId))
      if (moved) await place(job, community.layout, moved.siblings)
      job.audit({ type: 'room.update', actor: callerId, target: roomId, metadata: patch })
      return roomObject(after)
    })
  }

  delete(callerId: number, roomId: number): Promise<void> {
    const { work, community } = this.#services
    return work.run(async (job) => {
      demandSpaceManager(community, callerId)
      const { name } = visibleRoom(community, callerId, roomId)
      await job.db.deleteFrom('rooms').where('room_id', '=', roomId).execute()
      job.emit(roomDelete, { room_id: roomId }, viewersOf(roomId))
      job.change((picture) => picture.deleteSpace(ref(roomId)))
      job.audit({ type: 'room.delete', actor: callerId, target: roomId, metadata: { name } })
    })
  }
}
