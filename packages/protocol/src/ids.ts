/**
 * Snowflakes: 64-bit ids of messages, audit entries and event-log entries (spec 01, section 6.2).
 *
 * bits 63–22 milliseconds since the Vox epoch · 21–12 worker · 11–0 sequence
 */

/** 2025-01-01T00:00:00Z in Unix milliseconds. */
export const VOX_EPOCH_MS = 1_735_689_600_000

/** Highest worker number (10 bits). */
export const MAX_WORKER = 1023

/** Highest sequence number within one millisecond (12 bits). */
export const MAX_SEQUENCE = 4095

/** The parts of a snowflake; `timestamp` in Unix milliseconds. */
export interface SnowflakeParts {
  timestamp: number
  worker: number
  sequence: number
}

/** Builds a snowflake. The timestamp is in Unix milliseconds and must not lie before {@link VOX_EPOCH_MS}. */
export function snowflake({ timestamp, worker, sequence }: SnowflakeParts): bigint {
  return (BigInt(timestamp - VOX_EPOCH_MS) << 22n) | BigInt((worker << 12) | sequence)
}

/** Takes a snowflake apart. */
export function snowflakeParts(id: bigint): SnowflakeParts {
  const low = Number(id & 0x3fffffn)
  return { timestamp: snowflakeTime(id), worker: low >> 12, sequence: low & MAX_SEQUENCE }
}

/** Creation time of a snowflake in Unix milliseconds. */
export function snowflakeTime(id: bigint): number {
  return Number(id >> 22n) + VOX_EPOCH_MS
}
