import type { Incident } from '../proof/viewer.ts'

/** What a trouble may do to viewers, whatever the gateway does. */
export type Harm =
  /** No media come, or too slowly. */
  | 'starves'
  /** The camera is away: whatever stands in for it live, nothing is recorded. */
  | 'records nothing'
  /** Calls to KVS fail: what is not in memory or on disk cannot be had at once. */
  | 'refuses'
  /** No file can hold what was before and what is after. */
  | 'changes codec'

interface Excuse {
  readonly stream: string
  readonly harms: readonly Harm[]
  readonly fromMs: number
  toMs: number
}

/** Trouble may come back hours later in a list of incidents, but not be excused by an old one. */
const EXCUSES_KEPT = 10_000

/** Ranges are of the camera's clock, which troubles put wrong by some seconds. */
const CLOCK_MS = 15_000

type Holds = (excuse: Excuse, fromMs: number, toMs: number) => boolean

/** It ended while there was a reason for it. One that goes on without is the gateway's own. */
const endsWithin: Holds = ({ fromMs, toMs }, _from, endMs) => fromMs <= endMs && endMs <= toMs
const isWithin: Holds = ({ fromMs, toMs }, startMs, endMs) =>
  fromMs - CLOCK_MS <= startMs && endMs <= toMs
const meets: Holds = ({ fromMs, toMs }, startMs, endMs) =>
  fromMs - CLOCK_MS <= endMs && startMs <= toMs + CLOCK_MS

/** By kind of incident: the harm that excuses it, if its time meets that of the trouble. */
const EXCUSABLE: Readonly<
  Record<string, { readonly harm: Harm; readonly orBy?: Harm; readonly holds: Holds }>
> = {
  // No media come: a viewer waits, and may then find that the list has gone on.
  stall: { harm: 'starves', holds: endsWithin },
  'fell-behind': { harm: 'starves', holds: endsWithin },
  // Media of the past are asked for again, and come in the end: `given-up` is not excused.
  refused: { harm: 'refuses', holds: endsWithin },
  // Nothing in a range that the camera was away for. Its time is the range.
  'no-recording': { harm: 'starves', orBy: 'records nothing', holds: isWithin },
  'codec-change': { harm: 'changes codec', holds: meets },
}

/**
 * When the camera itself gave nothing, or its link was slow, no gateway can keep pictures moving: stalls and
 * skips in such times are counted apart, as is what was recorded and cannot be had while KVS fails. Nothing
 * else is ever excused: whatever happens upstream, a viewer must not see an error.
 */
export class Excuses {
  readonly #follows: ReadonlyMap<string, string>
  #excuses: Excuse[] = []

  /** @param follows stream → the stream that it follows, whose troubles are its own as well */
  constructor(follows: ReadonlyMap<string, string> = new Map()) {
    this.#follows = follows
  }

  /**
   * Opens an excuse that lasts until the returned function is called with its end, and `mostMs` at most.
   */
  open(
    stream: string,
    harms: readonly Harm[],
    nowMs: number,
    mostMs = Number.POSITIVE_INFINITY,
  ): (endMs: number) => void {
    const excuse: Excuse = { stream, harms, fromMs: nowMs, toMs: nowMs + mostMs }
    this.#excuses = [...this.#excuses, excuse].slice(-EXCUSES_KEPT)
    return (endMs) => {
      excuse.toMs = Math.min(endMs, excuse.toMs)
    }
  }

  covers(stream: string, { kind, atMs, lastedMs }: Incident): boolean {
    const rule = EXCUSABLE[kind]
    if (rule === undefined) return false
    return this.#excuses.some(
      (excuse) =>
        (excuse.stream === stream || excuse.stream === this.#follows.get(stream)) &&
        excuse.harms.some((harm) => harm === rule.harm || harm === rule.orBy) &&
        rule.holds(excuse, atMs, atMs + lastedMs),
    )
  }
}
