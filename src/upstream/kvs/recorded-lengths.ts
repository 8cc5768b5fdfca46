import type { Clock } from '../../base/clock.ts'
import { withDeadline } from '../../base/deadline.ts'
import type { Log } from '../../base/log.ts'
import type { ForetoldLengths } from '../foretold-lengths.ts'
import type { StoredFragment } from './kvs-api.ts'
import type { StoredPast } from './stored-past.ts'

export interface RecordedLengthsOptions {
  readonly clock: Clock
  readonly log: Log
  readonly past: Pick<StoredPast, 'list'>
}

/**
 * How far back to look: one page of ListFragments (1,000) holds it for most cameras, and what they did before says less
 * than what they do now.
 */
const LATELY_MS = 300_000
/** How long to wait: the first fragments are fetched meanwhile, and viewers wait for them. */
const PATIENCE_MS = 1_500
/** How many fragments make a history. */
const ENOUGH = 10
/** What is said to be longer is not believed: KVS takes fragments of 20 s at most. KVS.md, section 10. */
const LONGEST_MS = 60_000
/** How long a last picture may last. */
const LONGEST_TAIL_MS = 1_000

/**
 * Tells how long a camera's fragments get from what KVS has recorded of it lately (G5): one call, made while the first
 * ones are fetched. If it fails those tell, as far as they can.
 */
export class RecordedLengths implements ForetoldLengths {
  /** KVS rounds up what fragments happen to have. */
  readonly targetDurationS = 0
  readonly #options: RecordedLengthsOptions
  #asking: Promise<void> | undefined
  #lengthsMs: readonly number[] = []

  constructor(options: RecordedLengthsOptions) {
    this.#options = options
  }

  get longestMs(): number {
    return longestUsual(this.#lengthsMs)
  }

  get isSure(): boolean {
    return this.#lengthsMs.length >= ENOUGH
  }

  ask(): void {
    this.#asking ??= this.#ask()
      .catch((error: unknown) => {
        const { log } = this.#options
        log.info('the recording does not tell how long fragments are: the first ones will', {
          error,
        })
      })
      .finally(() => {
        this.#asking = undefined
      })
  }

  async settled(): Promise<void> {
    await this.#asking
  }

  async #ask(): Promise<void> {
    const { clock, past } = this.#options
    // It is over so soon that nobody needs to end it.
    const { signal } = new AbortController()
    const nowMs = clock.date()
    const range = {
      clock: 'SERVER',
      startMs: nowMs - LATELY_MS,
      endMs: nowMs,
      isSample: true,
    } as const
    this.#lengthsMs = lengthsOf(
      await withDeadline(clock, 'asking how long fragments are', PATIENCE_MS, signal, (limited) =>
        past.list(range, limited),
      ),
    )
  }
}

/**
 * Returns how long fragments are whole, in milliseconds: KVS leaves out the last picture, which lasts until the next
 * fragment begins.
 * @param fragments in order of their numbers
 */
export function lengthsOf(fragments: readonly StoredFragment[]): readonly number[] {
  const believed = fragments.filter(({ lengthMs }) => lengthMs > 0 && lengthMs <= LONGEST_MS)
  const tails = believed
    .map(
      ({ producerMs, lengthMs }, i) => (believed[i + 1]?.producerMs ?? 0) - producerMs - lengthMs,
    )
    .filter((tailMs) => tailMs > 0 && tailMs <= LONGEST_TAIL_MS)
    .toSorted((a, b) => a - b)
  const tailMs = tails[Math.floor(tails.length / 2)] ?? 0
  return believed.map(({ lengthMs }) => lengthMs + tailMs)
}

/**
 * Returns the longest, but for what is twice as long as 99 in 100 are: that was a fault, and three times its length is
 * how late all viewers would be for ever. 0 when there are none.
 */
export function longestUsual(lengthsMs: readonly number[]): number {
  const sorted = lengthsMs.toSorted((a, b) => b - a)
  const common = sorted[Math.floor(sorted.length / 100)] ?? 0
  return sorted.find((ms) => ms <= 2 * common) ?? 0
}
