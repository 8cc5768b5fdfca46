import { setImmediate as nextTurn, setTimeout as realSleep } from 'node:timers/promises'
import { type Clock, sleepBy } from '../../src/base/clock.ts'

interface Sleeper {
  readonly at: number
  readonly wake: () => void
}

/**
 * A clock that stands still until a test moves it.
 *
 * `runUntil` moves it in small steps and lets real sockets work between them, so a five-minute session
 * passes in seconds while every timer still fires in order.
 */
export class ManualClock implements Clock {
  #now: number
  #sleepers: Sleeper[] = []
  #dateAheadMs = 0

  constructor(startMs: number = Date.UTC(2026, 0, 1)) {
    this.#now = startMs
  }

  now(): number {
    return this.#now
  }

  date(): number {
    return this.#now + this.#dateAheadMs
  }

  /** Sets the machine's date forward, or back: no time passes. */
  stepDate(ms: number): void {
    this.#dateAheadMs += ms
  }

  /** When the next sleeper is to wake; undefined when nobody sleeps. */
  get nextDueMs(): number | undefined {
    return this.#next()?.at
  }

  sleep(ms: number, signal?: AbortSignal): Promise<void> {
    return sleepBy(this, ms, signal)
  }

  alarm(ms: number, ring: () => void): () => void {
    const sleeper: Sleeper = { at: this.#now + Math.max(0, ms), wake: ring }
    this.#sleepers.push(sleeper)
    if (ms <= 0) queueMicrotask(() => this.#wakeDue())
    return () => {
      this.#sleepers = this.#sleepers.filter((other) => other !== sleeper)
    }
  }

  /** Moves time at once, waking sleepers in the order in which they fall due. */
  advance(ms: number): void {
    const end = this.#now + ms
    for (;;) {
      const next = this.#next()
      if (next === undefined || next.at > end) break
      this.#now = Math.max(this.#now, next.at)
      this.#wakeDue()
    }
    this.#now = end
  }

  /**
   * Steps time until `done()` holds, yielding to real I/O after each step.
   * Throws when `withinMs` of this clock's milliseconds were not enough.
   */
  async runUntil(
    done: () => boolean | Promise<boolean>,
    { withinMs = 600_000, stepMs = 50, realMsPerStep = 2 } = {},
  ): Promise<void> {
    const end = this.#now + withinMs
    while (!(await done())) {
      if (this.#now >= end) throw new Error(`condition not met within ${withinMs} ms of clock time`)
      this.advance(stepMs)
      await realSleep(realMsPerStep)
      await nextTurn()
    }
  }

  /** Steps time by `ms`, yielding to real I/O after each step. */
  async run(ms: number, options: { stepMs?: number; realMsPerStep?: number } = {}): Promise<void> {
    const end = this.#now + ms
    await this.runUntil(() => this.#now >= end, { ...options, withinMs: ms + 1000 })
  }

  #next(): Sleeper | undefined {
    return this.#sleepers.reduce<Sleeper | undefined>(
      (first, sleeper) => (first === undefined || sleeper.at < first.at ? sleeper : first),
      undefined,
    )
  }

  #wakeDue(): void {
    const due = this.#sleepers.filter(({ at }) => at <= this.#now).sort((a, b) => a.at - b.at)
    this.#sleepers = this.#sleepers.filter(({ at }) => at > this.#now)
    for (const { wake } of due) wake()
  }
}
