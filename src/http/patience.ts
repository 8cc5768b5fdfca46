import type { Socket } from 'node:net'

/** Longer than anything that a request may wait for. */
const PATIENCE_MS = 310_000

/**
 * A connection on which nothing moves is cut, as its reader has stalled. Not so while it is we who keep
 * it waiting, for work that has a deadline of its own.
 */
export async function patiently<T>(socket: Socket, work: () => Promise<T>): Promise<T> {
  const stallTimeoutMs = socket.timeout ?? 0
  socket.setTimeout(PATIENCE_MS)
  try {
    return await work()
  } finally {
    socket.setTimeout(stallTimeoutMs)
  }
}
