import { WebSocket } from 'ws'

/**
 * A WebSocket that emits `closing` when either side begins to close, before the close frame goes out: from then on no
 * message may follow. `ws` itself only tells when the TCP connection is gone.
 */
export class GatewayWebSocket extends WebSocket {
  override close(code?: number, reason?: string | Buffer): void {
    if (this.readyState === WebSocket.OPEN) this.emit('closing')
    super.close(code, reason)
  }
}
