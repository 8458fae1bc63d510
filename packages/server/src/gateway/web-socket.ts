import { type RawData, WebSocket } from 'ws'

/** Who is told what happens to a socket. */
export interface SocketOwner {
  /** A message has come. */
  received(data: Buffer, isBinary: boolean): void
  /** Either side begins to close, and the close frame goes out after this: no message may follow. */
  closing(): void
  /** The TCP connection is gone. */
  closed(): void
}

/**
 * A WebSocket with an owner. `ws` itself only tells when the TCP connection is gone, not when closing begins. The
 * listeners are the same functions for all sockets: there may be ten thousand, and most have nothing to say.
 */
export class GatewayWebSocket extends WebSocket {
  owner: SocketOwner | undefined

  belongTo(owner: SocketOwner): void {
    this.owner = owner
    this.on('message', received)
    this.on('close', closed)
    this.on('error', failed)
  }

  override close(code?: number, reason?: string | Buffer): void {
    if (this.readyState === WebSocket.OPEN) this.owner?.closing()
    super.close(code, reason)
  }
}

function received(this: WebSocket, data: RawData, isBinary: boolean): void {
  ownerOf(this)?.received(data as Buffer, isBinary)
}

function closed(this: WebSocket): void {
  ownerOf(this)?.closed()
}

/** `ws` closes the connection by itself; the listener only keeps the error from being thrown. */
function failed(): void {}

const ownerOf = (socket: WebSocket): SocketOwner | undefined =>
  socket instanceof GatewayWebSocket ? socket.owner : undefined
