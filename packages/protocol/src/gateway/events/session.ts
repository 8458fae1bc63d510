/** The beginning of a session. */
import { Fields, Flag, Id, Integer, List, Maybe, Seconds, Text } from '../../schema.ts'
import { event } from '../event.ts'

/** First event of every session, `seq` 1 (spec 06, section 3.4). `server_time` is in seconds. */
export const ready = event(
  'ready',
  Fields({
    session_id: Text(),
    user_id: Id,
    display_name: Text(),
    server_name: Text(),
    server_icon: Maybe(Text()),
    server_time: Seconds,
    protocol_version: Integer(1),
    capabilities: List(Text()),
    is_bot: Maybe(Flag),
  }),
)
