import type { Socket } from 'node:net'

/** How long such work may take: longer than anything that a request may wait for. */
const LONGEST_WORK_MS = 310_000

/**
 * Does work while the connection's own time-out waits, because a connection on which nothing moves is cut as its reader
 * has stalled, while here it is we who keep it waiting, for work that has a deadline of its own.
 */
export async function keepOpen<T>(socket: Socket, work: () => Promise<T>): Promise<T> {
  const stallTimeoutMs = socket.timeout ?? 0
  socket.setTimeout(LONGEST_WORK_MS)
  try {
    return await work()
  } finally {
    socket.setTimeout(stallTimeoutMs)
  }
}
