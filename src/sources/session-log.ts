import type { ErrorCode } from '../base/errors.ts'
import type { Log } from '../base/log.ts'
import type { KeeperEvent } from '../upstream/keeper-event.ts'
import { SessionDeadError } from '../upstream/session-dead-error.ts'

/**
 * Logs one line per event of a stream's sessions that an operator cares about. Sessions that cannot be opened fail in the
 * same way again and again: that is told once, until it changes.
 */
export function keeperLog(log: Log): (event: KeeperEvent) => void {
  let failing: ErrorCode | undefined
  return (event) => {
    const code = event.kind === 'failed' ? event.failure.code : undefined
    logKeeperEvent(log, event, code !== undefined && code === failing)
    if (code !== undefined || event.kind === 'opened') failing = code
  }
}

function logKeeperEvent(log: Log, event: KeeperEvent, isKnown: boolean): void {
  switch (event.kind) {
    case 'opened': {
      const { id, expiresAtMs, playlists } = event.session
      const expiresAt = Number.isFinite(expiresAtMs) ? iso(expiresAtMs) : undefined
      log.info('session opened', { session: id, expiresAt, playlists })
      return
    }
    case 'rolled_over':
      log.info('session rolled over', { session: event.session.id, cause: event.cause })
      return
    case 'lost': {
      const { cause, session } = event
      const why = cause instanceof SessionDeadError ? 'refused' : cause.code
      const { upstreamRequestId: requestId } = cause
      log.warn('session lost', { session: session.id, cause: why, requestId, error: cause })
      return
    }
    case 'failed':
    case 'renewal_failed': {
      const { failure, retryInMs, kind } = event
      // A camera that is away fails the same way all night: that is told once, by the stream's state.
      const method = isKnown || failure.code === 'no_media' ? 'debug' : 'warn'
      log[method](kind === 'failed' ? 'session cannot be opened' : 'session cannot be renewed', {
        code: failure.code,
        requestId: failure.upstreamRequestId,
        retryInMs: Math.round(retryInMs),
        error: failure,
      })
    }
  }
}

function iso(ms: number): string {
  return new Date(ms).toISOString()
}
