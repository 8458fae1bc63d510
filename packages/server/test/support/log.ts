import { createLog } from '../../src/log.ts'

/** A logger that keeps its records. */
export function keepingLog() {
  const records: Record<string, unknown>[] = []
  return { records, log: createLog('json', { write: (line) => void records.push(JSON.parse(line)) }) }
}
