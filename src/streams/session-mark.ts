import { GatewayError } from '../base/errors.ts'
import type { LiveSource } from '../timeline/fragment.ts'
import type { KeeperEvent } from '../upstream/keeper-event.ts'
import type { SessionMark } from './history.ts'

/** Says what an event of a source's sessions is on a time line; undefined for what is none of it. */
export function sessionMark(
  event: KeeperEvent,
  source: LiveSource,
  atMs: number,
): SessionMark | undefined {
  switch (event.kind) {
    case 'opened':
      return { atMs, event: 'opened', session: event.session.id, source, cause: null }
    case 'rolled_over':
      return { atMs, event: 'rolled-over', session: event.session.id, source, cause: event.cause }
    case 'lost': {
      const { session, cause } = event
      const why = cause instanceof GatewayError ? cause.code : 'refused'
      return { atMs, event: 'lost', session: session.id, source, cause: why }
    }
    case 'released':
      return { atMs, event: 'released', session: event.session.id, source, cause: null }
    case 'failed':
      return { atMs, event: 'failed', session: null, source, cause: event.failure.code }
    case 'renewal_failed':
      return undefined
  }
}
