import { codePoints, type InputOf, type relayMls } from '@vox/protocol'
import type { Community } from '../../community/community.ts'
import { type Audience, viewersOfFeed } from '../../events/audience.ts'
import type { Work } from '../../events/work.ts'
import { CommandError } from '../../gateway/failures.ts'
import type { Session } from '../../gateway/session.ts'
import type { Services } from '../../services.ts'
import { type Address, addressOf } from './addressing.ts'
import { type Place, win, winnerOf } from './epochs.ts'
import { keep, removeOld } from './mailbox.ts'
import { type Contents, contentsOf, isMlsType, type Relay, relayEvent } from './relay.ts'
import type { WaitingRelays } from './waiting.ts'

type Input = InputOf<typeof relayMls>

/**
 * Relays of MLS messages between devices (spec 05, section 13). Each is one job, so relays and messages of a
 * conversation have one order, that of their ids, and sessions are told in it. The copy that the sender gets says that
 * the server has accepted and ordered the relay.
 */
export class Relaying {
  readonly #services: Services
  readonly #waiting: WaitingRelays

  constructor(services: Services, waiting: WaitingRelays) {
    this.#services = services
    this.#waiting = waiting
    const { work, clock, cleanup } = services
    cleanup.add('relays nobody can read any more', () => work.run((job) => removeOld(job, clock.now())))
  }

  async relay(session: Session, { mls_type, data = '', dm_id, group_id }: Input): Promise<void> {
    if (!isMlsType(mls_type)) return
    if (codePoints(data) > this.#maxLength()) throw new CommandError('PAYLOAD_TOO_LARGE', 'The relay is too large.')
    const contents = contentsOf(mls_type, data)
    await this.#services.work.run(async (job) => {
      const address = await addressOf(job, this.#services, session.userId, contents, dm_id)
      const relay: Relay = {
        relay_id: job.nextId(),
        mls_type,
        data,
        group_id: mls_type === 'welcome' ? null : (group_id ?? contents.group?.id ?? null),
        dm_id: address?.dmId ?? null,
        feed_id: address?.feedId ?? null,
        sender_id: session.userId,
      }
      await this.#accept(job, session, relay, address, contents)
    })
  }

  async #accept(
    job: Work,
    session: Session,
    relay: Relay,
    address: Address | undefined,
    contents: Contents,
  ): Promise<void> {
    const place = placeInOrder(relay, contents)
    const winner = place && (await winnerOf(job, place))
    if (winner) {
      const isHeard = winner.sender_id === session.userId || !address?.isParted
      if (isHeard) job.afterCommit(() => this.#services.gateway.tell(relayEvent(winner), session))
      return
    }
    if (address) await this.#keep(job, relay, address)
    if (place) await win(job, place, relay.relay_id)
    const { event, data } = relayEvent(relay)
    job.emit(event, data, audienceOf(relay, address))
  }

  async #keep(job: Work, relay: Relay, address: Address): Promise<void> {
    await keep(job, relay, address)
    await this.#waiting.miss(job, relay.relay_id, recipientsOf(this.#services.community, relay, address))
  }

  #maxLength(): number {
    return Math.max(0, 4 * this.#services.config.limits.relay_payload_max - 1024)
  }
}

/** Which epoch of which conversation a relay is the commit for, if for any. */
function placeInOrder({ mls_type, dm_id }: Relay, { group }: Contents): Place | undefined {
  const isOrdered = mls_type === 'commit' && dm_id !== null && group?.id === `dm:${dm_id}`
  return isOrdered ? { dmId: dm_id, epoch: group.epoch } : undefined
}

/** Everybody beside the sender who is to be told at some time. */
function recipientsOf(community: Community, { sender_id, feed_id }: Relay, { others }: Address): readonly number[] {
  if (feed_id === null) return others
  const sees = (userId: number) => userId !== sender_id && community.sees(userId, { type: 'feed', id: feed_id })
  return [...community.memberIds()].filter(sees)
}

function audienceOf({ sender_id, feed_id }: Relay, address: Address | undefined): Audience {
  return feed_id === null ? { to: 'users', users: [sender_id, ...(address?.others ?? [])] } : viewersOfFeed(feed_id)
}
