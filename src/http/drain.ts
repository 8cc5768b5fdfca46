import type { FastifyInstance } from 'fastify'
import type { Clock } from '../base/clock.ts'

const STEP_MS = 100

/**
 * Lets `app.close()` end: a player's keep-alive connection is closed as soon as its answer is out, and
 * what still runs after `graceMs` is cut, be it a reader that takes its time or one that waits for media.
 */
export function drainOnClose(app: FastifyInstance, clock: Clock, graceMs: number): void {
  const closed = new AbortController()
  app.addHook('preClose', (done) => {
    // Not awaited: closing the listener comes next, and this runs beside it.
    void drain(app, clock, graceMs, closed.signal)
    done()
  })
  app.addHook('onClose', (_app, done) => {
    closed.abort()
    done()
  })
}

async function drain(
  { server }: FastifyInstance,
  clock: Clock,
  graceMs: number,
  closed: AbortSignal,
): Promise<void> {
  const deadline = clock.now() + graceMs
  try {
    while (clock.now() < deadline) {
      server.closeIdleConnections()
      await clock.sleep(STEP_MS, closed)
    }
    server.closeAllConnections()
  } catch {
    // All connections are closed already.
  }
}
