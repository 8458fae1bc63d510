/** Direct messages (spec 06, section 13.6). Their messages are those of messages.ts. */
import { Fields, Flag, Id, List, Maybe, Snowflake, Text } from '../../schema.ts'
import { Change, event } from '../event.ts'

/** A DM was created, or appears again for the receiver. */
export const dmCreate = event(
  'dm_create',
  Fields({ dm_id: Id, participant_ids: List(Id, { min: 1 }), is_group: Flag, name: Maybe(Text()) }),
)

/** What was changed in a DM; empty for what was cleared; `is_group` when it has become a group. */
export const dmUpdate = event(
  'dm_update',
  Change({ dm_id: Id }, { name: Maybe(Text()), icon: Maybe(Text()), is_group: Maybe(Flag) }),
)

const Recipient = Fields({ dm_id: Id, user_id: Id })

/** The user takes part in the DM from now on. */
export const dmRecipientAdd = event('dm_recipient_add', Recipient)

/** The user takes part in the DM no longer, or has closed it. */
export const dmRecipientRemove = event('dm_recipient_remove', Recipient)

/** The user has read the DM up to this message. */
export const dmReadNotify = event('dm_read_notify', Fields({ dm_id: Id, user_id: Id, up_to_msg_id: Snowflake }))
