const REASONS = {
  refused: 'upstream refuses the session’s token',
  closed: 'the session was closed',
  encrypted: 'the origin encrypts what it did not',
  renumbered: 'the origin counts its segments anew',
} as const

interface SessionDeadOptions extends ErrorOptions {
  readonly upstreamRequestId?: string | undefined
}

/**
 * Says that this session is over: KVS answered 403 (expired or revoked, for good), another origin began anew, or we
 * closed it. It says nothing about the stream, so it is not a viewer's error: a new session is the answer.
 */
export class SessionDeadError extends Error {
  /** The request id of the answer that ended it, for logs. */
  readonly upstreamRequestId: string | undefined

  constructor(reason: keyof typeof REASONS = 'refused', options: SessionDeadOptions = {}) {
    super(REASONS[reason], options)
    this.name = 'SessionDeadError'
    this.upstreamRequestId = options.upstreamRequestId
  }
}
