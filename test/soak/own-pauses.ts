import type { Clock } from '../../src/base/clock.ts'

const STEP_MS = 20
/** Timers are late by less than this all the time. */
const LEAST_MS = 50
const PAUSES_KEPT = 1_000
/** What was not asked for in a pause is missed when the buffer has run dry: some target durations later. */
const FELT_MS = 10_000

/** Notes when the process that judges stands still itself: what its viewers miss by that is not the gateway's. */
export class OwnPauses {
  readonly #clock: Clock
  #pauses: readonly { readonly endMs: number; readonly lastedMs: number }[] = []
  #longestMs = 0

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** The longest so far, in milliseconds; 0 without any. */
  get longestMs(): number {
    return this.#longestMs
  }

  /** Watches until the signal aborts. */
  async run(signal: AbortSignal): Promise<void> {
    try {
      for (;;) {
        const startMs = this.#clock.now()
        await this.#clock.sleep(STEP_MS, signal)
        const lastedMs = this.#clock.now() - startMs - STEP_MS
        if (lastedMs >= LEAST_MS) this.#note(lastedMs)
      }
    } catch (error) {
      if (!signal.aborted) throw error
    }
  }

  /** Says whether it stood still for as long as a stall has lasted, shortly before it was over. */
  explain(stallMs: number, overMs: number): boolean {
    const felt = this.#pauses.filter(({ endMs }) => endMs > overMs - FELT_MS && endMs <= overMs)
    return felt.reduce((sum, { lastedMs }) => sum + lastedMs, 0) >= stallMs
  }

  #note(lastedMs: number): void {
    const pause = { endMs: this.#clock.now(), lastedMs }
    this.#pauses = [...this.#pauses, pause].slice(-PAUSES_KEPT)
    this.#longestMs = Math.max(this.#longestMs, lastedMs)
  }
}
