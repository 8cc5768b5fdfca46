/**
 * This session is over: KVS answered 403 (expired or revoked, for good), or we closed it. It says
 * nothing about the stream, so it is not a viewer's error: a new session is the answer to it.
 */
export class SessionDeadError extends Error {
  constructor(reason: 'refused' | 'closed' = 'refused') {
    super(reason === 'refused' ? 'upstream refuses the session’s token' : 'the session was closed')
    this.name = 'SessionDeadError'
  }
}
