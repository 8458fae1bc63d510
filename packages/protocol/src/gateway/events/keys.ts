/** End-to-end encryption and device pairing (spec 06, section 13.8; spec 05, section 13). */
import { Fields, Id, List, Maybe, Snowflake, Text } from '../../schema.ts'
import { event } from '../event.ts'

/** What the server adds to a relay: its place among the messages of the DM, and from whom and where it comes. */
const Relayed = { relay_id: Maybe(Snowflake), sender_id: Maybe(Id), dm_id: Maybe(Id) }

/** A Welcome to a group, base64 as the sender gave it. */
export const mlsWelcome = event('mls_welcome', Fields({ data: Text(), ...Relayed }))

const GroupRelay = Fields({ data: Text(), group_id: Maybe(Text()), ...Relayed })

/** A commit in a group. */
export const mlsCommit = event('mls_commit', GroupRelay)

/** A proposal in a group. */
export const mlsProposal = event('mls_proposal', GroupRelay)

/** The user's devices, all of them, after one was registered or removed. */
export const deviceListUpdate = event(
  'device_list_update',
  Fields({ devices: List(Fields({ device_id: Text(), device_name: Text() })) }),
)

/** A device asks to be paired; `ip` and `location` are `unknown` when there is none. */
export const devicePairPrompt = event(
  'device_pair_prompt',
  Fields({
    device_name: Text(),
    ip: Text(),
    location: Text(),
    pair_id: Text(),
    method: Maybe(Text()),
    temp_public_key: Maybe(Text()),
  }),
)

const PairingRelay = Fields({ pair_id: Text(), data: Text() })

/** First message of a pairing. */
export const cpaceIsi = event('cpace_isi', PairingRelay)

/** Answer to the first message of a pairing. */
export const cpaceRsi = event('cpace_rsi', PairingRelay)

/** Confirmation of a pairing; when the prompt was answered over REST, `data` is `approved` or `denied`. */
export const cpaceConfirm = event('cpace_confirm', PairingRelay)

/** The key of the new device, encrypted. */
export const cpaceNewDeviceKey = event('cpace_new_device_key', Fields({ pair_id: Text(), data: Text(), nonce: Text() }))

/** The user has begun afresh with new keys; whoever shares a DM with them has to know. */
export const keyResetNotify = event('key_reset_notify', Fields({ user_id: Id }))
