import { GatewayError } from '../base/errors.ts'
import type { Log } from '../base/log.ts'
import type { IngestTrouble } from '../ingest/trouble.ts'
import { isTransient } from '../upstream/errors.ts'
import { SessionDeadError } from '../upstream/session-dead-error.ts'

/** Fragments whose refusal is remembered. Far more than one session lists at a time. */
const REMEMBERED_REFUSALS = 64

/**
 * The trouble that a stream's upstream is in: kept for its status, logged once per change rather than
 * once per attempt.
 */
export class StreamTrouble implements IngestTrouble {
  readonly #log: Log
  readonly #changed: () => void
  readonly #refused = new Set<bigint>()
  #current: GatewayError | undefined
  #skipped = 0

  constructor(log: Log, changed: () => void) {
    this.#log = log
    this.#changed = changed
  }

  get current(): GatewayError | undefined {
    return this.#current
  }

  /** Fragments that upstream listed and we could not get. */
  get skippedFragments(): number {
    return this.#skipped
  }

  /** Media came: whatever it was, it is over. */
  clear(): void {
    if (this.#current === undefined) return
    this.#current = undefined
    this.#changed()
  }

  session(error: unknown): void {
    // The end of a session is daily business: the next one decides whether there is trouble.
    if (error instanceof SessionDeadError) return
    this.#set('upstream session failed', error)
  }

  poll(error: unknown): void {
    this.#set('upstream poll failed', error)
  }

  skipped(number: bigint, error: unknown): void {
    this.#skipped += 1
    this.#log.warn('fragment skipped', { fragment: String(number), error })
  }

  refused(number: bigint, error: unknown): boolean {
    if (!isRefusal(error) || this.#refused.has(number)) return false
    const oldest = this.#refused.values().next()
    if (this.#refused.size >= REMEMBERED_REFUSALS && oldest.done !== true) {
      this.#refused.delete(oldest.value)
    }
    this.#refused.add(number)
    return true
  }

  #set(event: string, error: unknown): void {
    const known =
      error instanceof GatewayError
        ? error
        : new GatewayError('upstream_unavailable', 'Upstream did not give a usable answer.', {
            cause: error,
          })
    const isNews = this.#current?.code !== known.code
    this.#current = known
    if (!isNews) return
    this.#log.warn(event, { code: known.code, requestId: known.upstreamRequestId, error: known })
    this.#changed()
  }
}

/** A clear "no" to this fragment in this session, unlike trouble that passes or media that are gone. */
function isRefusal(error: unknown): boolean {
  if (!(error instanceof GatewayError) || isTransient(error)) return false
  return error.code !== 'segment_gone' && error.code !== 'no_media'
}
