import type { Clock } from '../../src/base/clock.ts'
import type { ProcessUsage } from '../proof/process-usage.ts'
import { type Point, slope } from '../proof/statistics.ts'

export interface MemoryReport {
  readonly startBytes: number
  readonly endBytes: number
  readonly maxBytes: number
  /** By linear regression over what follows the warm-up; NaN for too short a run. */
  readonly bytesPerHour: number
  /** Share of one core, over the whole run. */
  readonly cpuShare: number
}

const EVERY_MS = 5_000
/** A day of samples. */
const SAMPLES_KEPT = 17_280

/** Samples a process's memory, so that a leak shows as a slope. */
export class MemoryWatch {
  readonly #usage: () => Promise<ProcessUsage>
  readonly #clock: Clock
  #samples: { readonly atMs: number; readonly rssBytes: number; readonly cpuSeconds: number }[] = []

  constructor(usage: () => Promise<ProcessUsage>, clock: Clock) {
    this.#usage = usage
    this.#clock = clock
  }

  /** Samples until the signal aborts or the process has gone. */
  async run(signal: AbortSignal): Promise<void> {
    try {
      for (;;) {
        const usage = await this.#usage()
        this.#samples = [...this.#samples, { atMs: this.#clock.now(), ...usage }].slice(
          -SAMPLES_KEPT,
        )
        await this.#clock.sleep(EVERY_MS, signal)
      }
    } catch (error) {
      if (!signal.aborted && !isGone(error)) throw error
    }
  }

  /** @param warmUpMs how much of the beginning says nothing: caches fill, code compiles */
  report(warmUpMs: number): MemoryReport {
    const first = this.#samples[0]
    const last = this.#samples.at(-1)
    if (first === undefined || last === undefined) throw new Error('no sample was taken')
    const warm = this.#samples.filter(({ atMs }) => atMs - first.atMs >= warmUpMs)
    const points = warm.map(({ atMs, rssBytes }): Point => ({ x: atMs / 3_600_000, y: rssBytes }))
    return {
      startBytes: first.rssBytes,
      endBytes: last.rssBytes,
      maxBytes: Math.max(...this.#samples.map(({ rssBytes }) => rssBytes)),
      bytesPerHour: slope(points),
      cpuShare: (last.cpuSeconds - first.cpuSeconds) / ((last.atMs - first.atMs) / 1000),
    }
  }
}

const isGone = (error: unknown): boolean =>
  error instanceof Error && 'code' in error && (error.code === 'ENOENT' || error.code === 'ESRCH')
