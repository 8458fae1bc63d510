import { ApiError, cpaceConfirm, devicePairPrompt, relayCpace, relayMls } from '@vox/protocol'
import {
  answerPairing,
  fetchKeyPackages,
  fetchPrekeys,
  getKeyBackup,
  listDevices,
  listRelays,
  registerDevice,
  removeDevice,
  resetKeys,
  startPairing,
  storeKeyBackup,
  uploadKeyPackages,
  uploadPrekeys,
} from '@vox/protocol/endpoints'
import type { Mount } from '../../http/pipeline.ts'
import type { Services } from '../../services.ts'
import { findBackup, storeBackup } from './backups.ts'
import { passOnCpace } from './cpace.ts'
import { Devices } from './devices.ts'
import { relayHistory } from './history.ts'
import { LocalPairings } from './pairing.ts'
import { Prekeys } from './prekeys.ts'
import { Relaying } from './relaying.ts'
import { reset } from './reset.ts'
import { KeyPackages } from './stock.ts'
import { WaitingRelays } from './waiting.ts'

/** What clients need to encrypt for one another: devices, keys, pairing, relays. The server reads none of it. */
export function keys(services: Services, on: Mount): void {
  devicesAndKeys(services, on)
  pairing(services, on)
  relays(services, on)
}

function devicesAndKeys(services: Services, on: Mount): void {
  const devices = new Devices(services)
  const prekeys = new Prekeys(services)
  const keyPackages = new KeyPackages(services)

  on(registerDevice, async ({ body, caller }) => {
    await devices.register(caller.userId, body)
    return { device_id: body.device_id }
  })
  on(listDevices, async ({ caller }) => ({ devices: await devices.list(caller.userId) }))
  on(removeDevice, ({ params, caller }) => devices.remove(caller.userId, params.device_id))

  on(uploadPrekeys, ({ params, body, caller }) => prekeys.upload(caller.userId, params.device_id, body))
  on(fetchPrekeys, ({ params, caller }) => prekeys.fetch(caller.userId, params.user_id))

  on(uploadKeyPackages, async ({ params, body, caller }) => ({
    key_package_count: await keyPackages.upload(caller.userId, params.device_id, body.key_packages),
  }))
  on(fetchKeyPackages, async ({ params, query, caller }) => ({
    key_packages: await keyPackages.fetch(caller.userId, params.user_id, query.device_id),
  }))

  on(storeKeyBackup, ({ body, caller }) => storeBackup(services, caller.userId, body.encrypted_blob))
  on(getKeyBackup, ({ caller }) => findBackup(services, caller.userId))
  on(resetKeys, ({ caller }) => reset(services, caller.userId))
}

function pairing(services: Services, on: Mount): void {
  const { work, clock, gateway, cleanup, log } = services
  const pairings = new LocalPairings(clock)
  cleanup.add('pairings that are over', async () => pairings.forget())

  on(startPairing, async ({ body: { device_name, ...body }, caller, address = 'unknown' }) => {
    const pair_id = await pairings.start(caller)
    if (pair_id === undefined)
      throw new ApiError('FORBIDDEN', { message: 'Your last pairing was denied. Wait a while.' })
    const prompt = { device_name, ip: address, location: address, pair_id, ...body }
    await work.run(async (job) => job.emit(devicePairPrompt, prompt, { to: 'users', users: [caller.userId] }))
    return { pair_id }
  })

  on(answerPairing, async ({ params: { pair_id }, body: { approved }, caller: { userId } }) => {
    const starter = await pairings.answer(pair_id, userId, approved)
    if (!starter) throw new ApiError('REQUEST_NOT_FOUND')
    if (!approved) log.warn({ user: userId, session: starter.sessionId }, 'a device was denied its pairing')
    const answer = { pair_id, data: approved ? 'approved' : 'denied' }
    await work.run(async (job) => job.emit(cpaceConfirm, answer, { to: 'users', users: [userId] }))
  })

  gateway.commands.on(relayCpace, (session, input) => passOnCpace(services, pairings, session, input))
}

function relays(services: Services, on: Mount): void {
  const waiting = new WaitingRelays(services)
  const relaying = new Relaying(services, waiting)
  services.gateway.beginWith(waiting)
  services.gateway.commands.on(relayMls, (session, input) => relaying.relay(session, input))
  on(listRelays, ({ query, caller }) => relayHistory(services, caller.userId, query))
}
