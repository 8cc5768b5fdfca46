interface SessionDeadOptions extends ErrorOptions {
  readonly upstreamRequestId?: string | undefined
}

/**
 * This session is over: KVS answered 403 (expired or revoked, for good), or we closed it. It says
 * nothing about the stream, so it is not a viewer's error: a new session is the answer to it.
 */
export class SessionDeadError extends Error {
  /** Of the answer that ended it, for logs. */
  readonly upstreamRequestId: string | undefined

  constructor(reason: 'refused' | 'closed' = 'refused', options: SessionDeadOptions = {}) {
    super(
      reason === 'refused' ? 'upstream refuses the session’s token' : 'the session was closed',
      options,
    )
    this.name = 'SessionDeadError'
    this.upstreamRequestId = options.upstreamRequestId
  }
}
