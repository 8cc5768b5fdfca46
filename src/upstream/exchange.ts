import type { Random } from '../base/backoff.ts'
import type { Clock } from '../base/clock.ts'
import { arrivalMs, whileArriving } from '../base/progress.ts'
import { packageVersion } from '../base/version.ts'
import type { Meter } from './answer.ts'
import type { Answer } from './arriving-answer.ts'
import { failureLabel } from './errors.ts'
import { tellFailure, type UpstreamObserver } from './observer.ts'
import type { EndTurn } from './quota-queue.ts'
import { withRetries } from './retry.ts'

/** Says who asks, because some origins refuse those who do not. RFC 9110, 10.1.5. */
export const USER_AGENT = `kvs-hls-gateway/${packageVersion()}`

/** A kind of GET and its bounds. */
export interface RequestKind {
  /** The value of the metric label `operation`. */
  readonly operation: string
  readonly maxBytes: number
  /** How long one attempt may take, from the request to the last byte; longer while bytes keep coming. */
  readonly attemptMs: number
  /** How long all attempts may take, waits for the quota included; longer by what the bytes that came may take. */
  readonly totalMs: number
}

/** An answer, and where it came from in the end. */
export interface Received {
  readonly answer: Answer
  readonly url: URL
}

/** One GET, as often as it takes. */
export interface Exchange {
  readonly kind: RequestKind
  readonly attempts: number
  /** Waits until the quota lets an attempt go. */
  takeTurn(signal: AbortSignal): Promise<EndTurn>
  /** Whether an attempt counts in the quota until its body has been read, or only until it is answered. */
  readonly countsUntil: 'answered' | 'read'
  send(signal: AbortSignal): Promise<Received>
}

/** One try of an exchange. */
export interface Attempt extends Meter {
  readonly sentMs: number
}

export interface ExchangesDeps {
  readonly clock: Clock
  readonly random: Random
  readonly observer: UpstreamObserver
  /** Says in the words of this upstream what went wrong; keeps what is no GatewayError from viewers. */
  readonly translate: (error: unknown) => Error
}

/**
 * Sends the GETs to one upstream, each within quota, deadlines and a number of attempts. Failed attempts are counted
 * here, success by who knows where the body ends.
 */
export class Exchanges {
  readonly #deps: ExchangesDeps

  constructor(deps: ExchangesDeps) {
    this.#deps = deps
  }

  /**
   * Sends until `read` accepts what came: garbage is as good as a broken connection.
   * @throws what `translate` makes of the last failure; the signal's reason once it aborts
   */
  async run<T>(
    exchange: Exchange,
    signal: AbortSignal,
    read: (received: Received, meter: Attempt) => Promise<T>,
  ): Promise<T> {
    const { clock, random, translate } = this.#deps
    const { operation, totalMs } = exchange.kind
    const meters: Attempt[] = []
    const earnedMs = (): number => arrivalMs(meters.reduce((sum, { bytes }) => sum + bytes, 0))
    const policy = { what: operation, totalMs, attempts: exchange.attempts, earnedMs }
    try {
      return await withRetries(clock, random, policy, signal, (limited) =>
        this.#attempt(exchange, limited, meters, read),
      )
    } catch (error) {
      signal.throwIfAborted()
      throw translate(error)
    }
  }

  report({ operation }: RequestKind, label: string, { bytes, sentMs }: Attempt): void {
    const tookMs = this.#deps.clock.now() - sentMs
    this.#deps.observer.request(operation, label, bytes, tookMs)
  }

  async #attempt<T>(
    exchange: Exchange,
    signal: AbortSignal,
    meters: Attempt[],
    read: (received: Received, meter: Attempt) => Promise<T>,
  ): Promise<T> {
    const { clock, translate } = this.#deps
    const { operation, attemptMs } = exchange.kind
    const endTurn = await exchange.takeTurn(signal)
    const meter = { bytes: 0, sentMs: clock.now() }
    meters.push(meter)
    try {
      const pace = { graceMs: attemptMs, arrived: () => meter.bytes }
      return await whileArriving(clock, operation, pace, signal, async (limited) => {
        const received = await exchange.send(limited)
        if (exchange.countsUntil === 'answered') endTurn()
        return await orDiscard(received.answer, () => read(received, meter))
      })
    } catch (error) {
      const known = translate(error)
      this.#reportFailure(exchange.kind, signal, known, meter)
      throw known
    } finally {
      endTurn()
    }
  }

  #reportFailure(kind: RequestKind, { aborted }: AbortSignal, error: Error, meter: Attempt): void {
    this.report(kind, aborted ? 'aborted' : failureLabel(error), meter)
    if (!aborted) tellFailure(this.#deps.observer, error)
  }
}

async function orDiscard<T>(answer: Answer, read: () => Promise<T>): Promise<T> {
  try {
    return await read()
  } catch (error) {
    answer.body.destroy()
    throw error
  }
}
