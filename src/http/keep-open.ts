import type { IncomingMessage } from 'node:http'
import { http2StreamOf } from './over-http2.ts'

/** How long such work may take: longer than anything that a request may wait for. */
const LONGEST_WORK_MS = 310_000

/** How many requests of a session we keep waiting. */
const waiting = new WeakMap<object, number>()

/**
 * Does work while the connection's own time-out waits, because a connection on which nothing moves is cut as its reader
 * has stalled, while here it is we who keep it waiting, for work that has a deadline of its own.
 */
export async function keepOpen<T>(request: IncomingMessage, work: () => Promise<T>): Promise<T> {
  const session = http2StreamOf(request)?.session
  if (session !== undefined) return keepSession(session, work)
  const { socket } = request
  const stallTimeoutMs = socket.timeout ?? 0
  socket.setTimeout(LONGEST_WORK_MS)
  try {
    return await work()
  } finally {
    socket.setTimeout(stallTimeoutMs)
  }
}

/** Says whether a session is kept waiting by us. */
export function isKeptWaiting(session: object): boolean {
  return (waiting.get(session) ?? 0) > 0
}

async function keepSession<T>(session: object, work: () => Promise<T>): Promise<T> {
  waiting.set(session, (waiting.get(session) ?? 0) + 1)
  try {
    return await work()
  } finally {
    waiting.set(session, (waiting.get(session) ?? 1) - 1)
  }
}
