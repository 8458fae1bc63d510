import { DatabaseUnavailable } from './database.ts'
import type { EngineName, Execute } from './dialect.ts'

/** The one connection that writes. What is called first is done first. */
export interface Writer {
  readonly engine: EngineName
  readonly execute: Execute
  /** Begins a transaction, on a new connection if the last one was lost. */
  begin(): Promise<void>
  /** Sets the point to which `undo` goes back, in place of the last one. */
  savepoint(): Promise<void>
  undo(): Promise<void>
  /** @throws CommitInDoubt when the connection is lost before the answer arrives. */
  commit(): Promise<void>
  /** Never rejects: a transaction that cannot be rolled back is gone with its connection. */
  rollback(): Promise<void>
}

/** Does some work in a transaction of its own: all of it or, if it throws, nothing. */
export async function inTransaction(writer: Writer, work: () => Promise<void>): Promise<void> {
  await writer.begin()
  try {
    await work()
    await writer.commit()
  } catch (error) {
    await writer.rollback()
    throw error
  }
}

/** The connection was lost during a commit. Whether it happened can be asked once the database answers again. */
export class CommitInDoubt extends DatabaseUnavailable {
  readonly wasCommitted: () => Promise<boolean>

  constructor(cause: unknown, wasCommitted: () => Promise<boolean>) {
    super(cause)
    this.name = 'CommitInDoubt'
    this.wasCommitted = wasCommitted
  }
}
