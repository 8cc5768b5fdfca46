/**
 * Says why a command has no reply: Redis is `away`, or was lost before it answered; it is `late`; too much is on its way
 * to it already, or the command is too big (`busy`); or Redis has `refused` it, and the message begins with Redis's own
 * code, such as `OOM` or `NOPERM`. Unless it was refused or busy, it may have been carried out.
 */
export type RedisFailure = 'away' | 'late' | 'busy' | 'refused'

/**
 * A command that failed. The library's own errors hold the command with all its arguments, the password of AUTH among
 * them, so that none of them gets out of the connection (G16).
 */
export class RedisError extends Error {
  readonly failure: RedisFailure

  constructor(failure: RedisFailure, message: string) {
    super(message)
    this.name = 'RedisError'
    this.failure = failure
  }
}
