import { lookup, Resolver as NameServers } from 'node:dns/promises'
import type { Resolver } from './target.ts'

/** For one question to a name server, and how often it is asked; milliseconds. */
const PATIENCE = { timeout: 1_500, tries: 2 }

/**
 * Finds hosts by asking the machine's name servers (or these). The way the machine itself looks names up holds one of
 * four threads, which files and password hashes need too, for as long as the name server takes that answers for a name
 * somebody has made up. So only hosts that the operator has named are found by it, and with it in the hosts file.
 */
export function nameResolver(servers?: readonly string[]): Resolver {
  return async (host, isNamedByOperator) => {
    if (isNamedByOperator) return (await lookup(host, { all: true })).map(({ address }) => address)
    const asked = new NameServers(PATIENCE)
    if (servers) asked.setServers(servers)
    const answers = await Promise.allSettled([asked.resolve4(host), asked.resolve6(host)])
    return answers.flatMap((answer) => (answer.status === 'fulfilled' ? answer.value : []))
  }
}
