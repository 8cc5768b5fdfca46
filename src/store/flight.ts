import type { Clock } from '../base/clock.ts'
import { DeadlineError } from '../base/deadline.ts'
import { GatewayError } from '../base/errors.ts'
import { whileArriving } from '../base/progress.ts'
import { ChangeSignal } from '../base/signal.ts'
import type { FragmentBody } from './fragment-body.ts'

export interface FlightPlan {
  /** The exact length of the whole, in bytes. */
  readonly size: number
  /** Reads the bytes from `offset` on; called again, from where it broke off, after a failure half way. */
  readonly source: (offset: number, signal: AbortSignal) => AsyncIterable<Buffer>
  /** Throws when the whole is not what it should be. */
  readonly verify?: (bytes: Buffer) => void
  /** How often the source may be asked again. Default 1. */
  readonly restarts?: number
}

export interface FlightOptions {
  readonly clock: Clock
  /** How long the whole flight may take, restarts included; longer while bytes keep coming. */
  readonly timeoutMs: number
}

/**
 * Runs one fetch for everybody who waits for it.
 *
 * All readers share one buffer and take what has arrived in it; one that leaves is not missed, but when the last one
 * has left the fetch is cancelled. The final chunk is held back until the whole is verified: a reader may have got some
 * of what turns out to be wrong, but never all of it (G12).
 */
export class Flight {
  /** Resolves with the whole, once verified. Rejects with the source's last failure, or `verify`'s. */
  readonly done: Promise<Buffer>
  readonly #plan: FlightPlan
  readonly #bytes: Buffer
  readonly #changed = new ChangeSignal()
  readonly #cancel = new AbortController()
  #received = 0
  #arrived = 0
  #readers = 0
  #settled = false
  #failure: Error | undefined
  #wakeScheduled = false

  constructor(plan: FlightPlan, { clock, timeoutMs }: FlightOptions) {
    this.#plan = plan
    this.#bytes = Buffer.allocUnsafeSlow(plan.size)
    this.done = whileArriving(
      clock,
      'fetching a fragment',
      { graceMs: timeoutMs, arrived: () => this.#received },
      this.#cancel.signal,
      (signal) => this.#run(signal),
    )
    this.done.then(
      () => this.#settle(undefined),
      (error: unknown) => this.#settle(forReaders(error)),
    )
  }

  /** Whether nobody waits any more, so that nothing will come of it and a newcomer has to start another. */
  get cancelled(): boolean {
    return this.#cancel.signal.aborted
  }

  /** Reads along until `signal` aborts. */
  join(origin: FragmentBody['origin'], signal: AbortSignal): FragmentBody {
    signal.throwIfAborted()
    this.#readers += 1
    signal.addEventListener('abort', () => this.#leave(), { once: true })
    const arrived = (): number => this.#arrived
    return {
      size: this.#plan.size,
      bytes: this.#bytes,
      origin,
      get arrived() {
        return arrived()
      },
      more: (after, waiter) => this.#more(after, waiter),
    }
  }

  async #run(signal: AbortSignal): Promise<Buffer> {
    for (let restarts = this.#plan.restarts ?? 1; ; restarts -= 1) {
      try {
        await this.#receive(signal)
        break
      } catch (error) {
        if (signal.aborted || restarts <= 0) throw error
      }
    }
    this.#plan.verify?.(this.#bytes)
    return this.#bytes
  }

  async #receive(signal: AbortSignal): Promise<void> {
    for await (const chunk of this.#plan.source(this.#received, signal)) {
      signal.throwIfAborted()
      this.#take(chunk)
    }
    if (this.#received < this.#plan.size) {
      throw new Error(`the fragment ended after ${this.#received} of ${this.#plan.size} bytes`)
    }
  }

  #take(chunk: Buffer): void {
    if (this.#received + chunk.length > this.#plan.size) {
      throw new Error(`the fragment is longer than its ${this.#plan.size} bytes`)
    }
    chunk.copy(this.#bytes, this.#received)
    this.#received += chunk.length
    if (this.#received === this.#plan.size) return
    this.#arrived = this.#received
    this.#wakeSoon()
  }

  /** Wakes readers once per turn of the event loop, because chunks come in bursts, and not once per chunk each. */
  #wakeSoon(): void {
    if (this.#wakeScheduled) return
    this.#wakeScheduled = true
    setImmediate(() => {
      this.#wakeScheduled = false
      this.#changed.notify()
    })
  }

  async #more(after: number, signal: AbortSignal): Promise<void> {
    while (this.#arrived <= after && after < this.#plan.size) {
      if (this.#failure !== undefined) throw this.#failure
      await this.#changed.wait(signal)
    }
  }

  #leave(): void {
    this.#readers -= 1
    if (this.#readers === 0 && !this.#settled)
      this.#cancel.abort(new Error('the last reader has left'))
  }

  #settle(failure: Error | undefined): void {
    this.#settled = true
    this.#failure = failure
    if (failure === undefined) this.#arrived = this.#plan.size
    this.#changed.notify()
  }
}

/** Returns a failure by its public code, because readers answer viewers. */
function forReaders(error: unknown): GatewayError {
  if (error instanceof GatewayError) return error
  return error instanceof DeadlineError
    ? new GatewayError('upstream_timeout', 'The fragment did not come in time', { cause: error })
    : new GatewayError('upstream_unavailable', 'The fragment could not be fetched', {
        cause: error,
      })
}
