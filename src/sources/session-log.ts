import type { Log } from '../base/log.ts'
import type { KeeperEvent } from '../upstream/keeper-event.ts'
import { SessionDeadError } from '../upstream/session-dead-error.ts'

/**
 * Logs one line per event of a stream's sessions that an operator cares about. Why none can be opened, or one was given
 * up, is the stream's trouble, which tells it once (`trouble.ts`).
 */
export function logKeeperEvent(log: Log, event: KeeperEvent): void {
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
    case 'released':
      log.debug('session released', { session: event.session.id })
      return
    case 'lost': {
      const { cause, session } = event
      const isDead = cause instanceof SessionDeadError
      const { upstreamRequestId: requestId } = cause
      const why = isDead ? 'refused' : cause.code
      const fields = { session: session.id, cause: why, requestId, error: cause }
      log[isDead ? 'warn' : 'debug']('session lost', fields)
      return
    }
    case 'failed':
    case 'renewal_failed': {
      const { failure, retryInMs, kind } = event
      const method = kind === 'failed' || failure.code === 'no_media' ? 'debug' : 'warn'
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
