import { EventEmitter } from 'node:events'

/** A socket that takes bytes until the test says that the peer has stopped reading. */
export class FakeSocket extends EventEmitter {
  writableNeedDrain = false
  writableLength = 0
  isReading = true
  written = ''

  write(bytes: string): boolean {
    this.written += bytes
    if (this.isReading) return true
    this.writableNeedDrain = true
    this.writableLength += bytes.length
    return false
  }

  cork(): void {}

  uncork(): void {}

  drain(): void {
    this.writableNeedDrain = false
    this.writableLength = 0
    this.emit('drain')
  }

  /** Numbers in the order in which they were written; `resumed` as 0. */
  get sequence(): number[] {
    return [...this.written.matchAll(/"seq":(\d+)\}(\})?/g)].map(([, seq, isResumed]) => (isResumed ? 0 : Number(seq)))
  }
}
