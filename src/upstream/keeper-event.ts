import type { GatewayError } from '../base/errors.ts'
import type { HlsSession } from './hls-session.ts'
import type { SessionDeadError } from './session-dead-error.ts'

/** Says why a session was replaced; a value of the metric label `cause`. */
export type RolloverCause =
  /** It was about to expire. */
  | 'schedule'
  /** An operator asked for it. */
  | 'api'
  /** Codec private data changed almost as often as one session bears. */
  | 'codec'
  /** It died: refused before its time, or its tracks changed. */
  | 'lost'

/** What an operator may want one log line for. */
export type KeeperEvent =
  | { readonly kind: 'opened'; readonly session: HlsSession }
  /** One session replaced another; `session` is the new one. */
  | { readonly kind: 'rolled_over'; readonly session: HlsSession; readonly cause: RolloverCause }
  | {
      readonly kind: 'lost'
      readonly session: HlsSession
      readonly cause: GatewayError | SessionDeadError
    }
  /** It was let go of, because nobody watches, or another node has the stream. */
  | { readonly kind: 'released'; readonly session: HlsSession }
  /** There is no session now; the next attempt is due in `retryInMs`. */
  | { readonly kind: 'failed'; readonly failure: GatewayError; readonly retryInMs: number }
  /** The session in use goes on; the next attempt to replace it is due in `retryInMs`. */
  | { readonly kind: 'renewal_failed'; readonly failure: GatewayError; readonly retryInMs: number }
