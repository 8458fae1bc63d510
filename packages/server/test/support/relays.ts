import type { GatewayClient, Told } from './gateway-client.ts'

/** Sends an MLS relay; the sender’s next `told` waits until the server is done with it. */
export function relay(session: GatewayClient | undefined, mls_type: string, data: string, more: object = {}): void {
  session?.socket.send('mls_relay', { mls_type, data, ...more })
}

/** What each of the sessions was told since the last time. The senders go first: when they know, everybody does. */
export async function allTold(...sessions: (GatewayClient | undefined)[]): Promise<Told[][]> {
  const told: Told[][] = []
  for (const session of sessions) told.push((await session?.told()) ?? [])
  return told
}

/** An event without the id of its relay, of which it is only checked that it is there. */
export function withoutId([type, data]: Told): Told {
  const { relay_id, ...rest } = data as { relay_id?: unknown }
  if (typeof relay_id !== 'bigint') throw new Error(`${type} has no relay_id`)
  return [type, rest]
}

/** The next relays that a session is told of; what comes between them is passed over. */
export async function nextRelays({ socket }: GatewayClient, count: number): Promise<Told[]> {
  const told: Told[] = []
  while (told.length < count) {
    const { type, d } = await socket.next()
    if (type.startsWith('mls_')) told.push([type, d])
  }
  return told
}

/** The code with which the server refuses a command; what comes before is passed over. */
export async function refusal({ socket }: GatewayClient): Promise<string> {
  for (;;) {
    const { type, d } = await socket.next()
    if (type === 'error') return d.code
  }
}
