import { setTimeout as sleep } from 'node:timers/promises'

/** What `attempt` gives once it does not fail any more; for what happens outside this process. */
export async function eventually<T>(attempt: () => T | Promise<T>): Promise<T> {
  const deadline = Date.now() + 10_000
  for (;;) {
    try {
      return await attempt()
    } catch (error) {
      if (Date.now() > deadline) throw error
      await sleep(20)
    }
  }
}
