import type { ListedFragments } from '../../trace/trace.ts'
import { median, slope } from './numbers.ts'

/** A step of the producer's clock against that of KVS. */
const STEP_MS = 1000
/** A step that is more than a network’s unrest. */
const SWING_MS = 100
/** How much time between fragments is a gap, or an overlap. KVS.md, section 3.4. */
const TOLERANCE_MS = 50
/** More than a frame and its rounding. */
const GAP_MS = 200
/** How long fragments must have been listed for a pace to be told, and how many. */
const PACE = { leastMs: 45_000, least: 8 }

/** What fragments’ times say of the producer. Times are in milliseconds. */
export interface Timing {
  readonly count: number
  /** How much later KVS began to receive a fragment than the producer says that it began. */
  readonly lagMs: number
  /** How much that grows in a second, where the clock is not set; undefined where too little is known. */
  readonly growthMsPerS: number | undefined
  /** How often it grew by a step, and shrank by one. */
  readonly stepsUp: number
  readonly stepsDown: number
  readonly gaps: number
  readonly overlaps: number
  readonly twins: number
  /** How often fragments come of another connection than the one before. */
  readonly connections: number
  /** How often the lag goes one way and at once back. */
  readonly swings: number
  /** When the first begins by the producer, since 1970. */
  readonly producerMs: number
}

type Stored = ListedFragments['fragments'][number]

export function timingOf({ fragments }: ListedFragments): Timing | undefined {
  const [first] = fragments
  if (first === undefined) return undefined
  const lags = fragments.map(({ serverMs, producerMs }) => serverMs - producerMs)
  const steps = differences(lags).map((step) => (Math.abs(step) < STEP_MS ? 0 : Math.sign(step)))
  const between = betweenFragments(fragments)
  const blocks = connectionsOf(fragments)
  return {
    count: fragments.length,
    lagMs: median(lags),
    growthMsPerS: growthOf(fragments, steps),
    stepsUp: steps.filter((step) => step > 0).length,
    stepsDown: steps.filter((step) => step < 0).length,
    gaps: between.filter((ms) => ms > GAP_MS).length,
    overlaps: between.filter((ms) => ms < -TOLERANCE_MS).length,
    twins: fragments.length - new Set(fragments.map(({ producerMs }) => producerMs)).size,
    connections: differences(blocks).filter((step) => step !== 0).length,
    swings: swings(lags),
    producerMs: first.producerMs,
  }
}

/** How much the lag grows, in the longest run without a step. */
function growthOf(fragments: readonly Stored[], steps: readonly number[]): number | undefined {
  const runs: Stored[][] = [[]]
  fragments.forEach((fragment, i) => {
    if (i > 0 && steps[i - 1] !== 0) runs.push([])
    runs.at(-1)?.push(fragment)
  })
  const [longest = []] = runs.toSorted((a, b) => b.length - a.length)
  const lastMs = longest.at(-1)?.serverMs ?? 0
  const spanMs = lastMs - (longest[0]?.serverMs ?? 0)
  if (longest.length < PACE.least || spanMs < PACE.leastMs) return undefined
  return (
    slope(longest.map(({ serverMs, producerMs }) => [serverMs - lastMs, serverMs - producerMs])) *
    1000
  )
}

/** What lies between a fragment's end and the next one's beginning, beyond the length of a frame. */
function betweenFragments(fragments: readonly Stored[]): readonly number[] {
  const open = fragments.slice(1).map(({ producerMs }, i) => {
    const before = fragments[i]
    return before === undefined ? 0 : producerMs - before.producerMs - before.lengthMs
  })
  // The length ends where the last frame begins. KVS.md, section 3.4.
  const usual = open.filter((ms) => ms >= 0 && ms <= GAP_MS)
  const frameMs = usual.length === 0 ? 0 : median(usual)
  return open.map((ms) => ms - frameMs)
}

/**
 * Returns each fragment's connection, as its number tells: a counter that goes on by one, and at a new connection to the
 * next thousand. KVS.md, section 3.6; what does not fit tells nothing.
 */
function connectionsOf(fragments: readonly Stored[]): readonly number[] {
  return fragments.map(({ number }) => {
    const rest = BigInt(number) - 2n ** 156n
    return rest < 0n || number.length !== 47 ? 0 : Number((rest >> 92n) / 1000n)
  })
}

function swings(lags: readonly number[]): number {
  const steps = differences(lags)
  return steps.filter((step, i) => {
    const next = steps[i + 1] ?? 0
    return Math.min(Math.abs(step), Math.abs(next)) >= SWING_MS && step > 0 !== next > 0
  }).length
}

function differences(values: readonly number[]): readonly number[] {
  return values.slice(1).map((value, i) => value - (values[i] ?? 0))
}
