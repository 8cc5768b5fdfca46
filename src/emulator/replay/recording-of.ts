import type { KvsObservations, ListedFragments } from '../../trace/trace.ts'
import { decodeFragmentNumber } from '../camera/fragment-number.ts'
import type { CameraConfigInput } from '../config.ts'
import type { Cadence } from './cadence.ts'

type Listed = ListedFragments['fragments'][number]
type Recording = NonNullable<CameraConfigInput['recording']>

/** Producer timestamps before this count from the producer's start: they are not moved to now. */
const RELATIVE_UNTIL_MS = Date.UTC(2000, 0, 1)
/** How much longer than its last picture's start a fragment may last, beyond a frame. */
const LONGEST_LAST_MS = 150
/** For how long nothing comes from a producer that is away. */
const SILENT_MS = 30_000
/** What else delays differ by. */
const LEAST_DRIFT_MS = 1000
const MOST_DRIFT = 0.5
const LONGEST_DELAY_MS = 3_600_000
const ARCHIVE_MS = 24 * 3_600_000

/** Lays what was recorded over time so that it has just been seen, and goes on from its beginning. */
export function recordingOf(
  { listing, takenMs, described }: KvsObservations,
  cadence: Cadence,
  nowMs: number,
): CameraConfigInput | undefined {
  const fragments = listing?.fragments.toSorted((a, b) =>
    BigInt(a.number) < BigInt(b.number) ? -1 : 1,
  )
  const [first] = fragments ?? []
  if (listing === undefined || fragments === undefined || first === undefined) return undefined
  const movedMs = nowMs - takenMs
  const driftPerMs = driftOf(fragments)
  const startsMs = starts(fragments, driftPerMs)
  const [firstMs = 0] = startsMs
  const isRelative = first.producerMs < RELATIVE_UNTIL_MS
  const counters = countersOf(fragments)
  const lengths = lengthsOf(fragments, startsMs, cadence)
  const recorded = fragments.map((fragment, i) => {
    const startMs = startsMs[i] ?? 0
    return {
      startMs: startMs - firstMs,
      lengthMs: lengths[i] ?? 1,
      bytes: fragment.bytes,
      producerMs: Math.round(fragment.producerMs - startMs - (isRelative ? movedMs : 0)),
      serverMs: Math.min(LONGEST_DELAY_MS, Math.max(0, Math.round(fragment.serverMs - startMs))),
      counter: counters[i] ?? i,
    }
  })
  const last = recorded.at(-1)
  const loopMs = (last?.startMs ?? 0) + (last?.lengthMs ?? 1)
  const begins = first.serverMs - listing.startMs > SILENT_MS
  const retainedMs = Math.min(ARCHIVE_MS, (described?.retentionHours ?? 24) * 3_600_000)
  const passes = begins || isRelative || driftPerMs !== 0 ? 0 : Math.ceil(retainedMs / loopMs)
  const endMs = firstMs + loopMs
  const stopped = { atMs: Math.round(endMs + movedMs), event: { type: 'stop' as const } }
  const driftMs = Math.round((driftPerMs * loopMs) / (1 - driftPerMs))
  const recording: Recording = { loopMs, ...cadence, driftMs, fragments: recorded }
  return {
    recording,
    anchorMs: Math.max(0, Math.round(firstMs + movedMs) - passes * loopMs),
    events: takenMs - endMs > SILENT_MS ? [stopped] : [],
  }
}

/**
 * Returns when fragments were made, by the server's clock: as far apart as on the producer's where that one grows, because
 * it does not waver, and early enough for all of them to arrive afterwards.
 */
function starts(fragments: readonly Listed[], driftPerMs: number): readonly number[] {
  const [first] = fragments
  const grows = fragments.every(({ producerMs }, i) => {
    return i === 0 || producerMs > (fragments[i - 1]?.producerMs ?? 0)
  })
  const basis = ({ producerMs, serverMs }: Listed): number =>
    grows ? producerMs - driftPerMs * (producerMs - (first?.producerMs ?? 0)) : serverMs
  const delays = fragments.map((fragment) => fragment.serverMs - basis(fragment))
  const leastMs = Math.min(...delays)
  let latestMs = Number.NEGATIVE_INFINITY
  return fragments.map((fragment) => {
    latestMs = Math.max(latestMs + 1, Math.round(basis(fragment) + leastMs))
    return latestMs
  })
}

/**
 * Returns how much faster than the server's the producer's clock runs, where it does so steadily: from the first to the
 * last, and through the middle one.
 */
function driftOf(fragments: readonly Listed[]): number {
  const aheadMs = fragments.map(({ producerMs, serverMs }) => producerMs - serverMs)
  const [first = 0] = aheadMs
  const last = aheadMs.at(-1) ?? 0
  const middle = aheadMs[Math.floor(aheadMs.length / 2)] ?? 0
  const gainedMs = last - first
  const isSteady = Math.abs(middle - (first + last) / 2) < Math.abs(gainedMs) / 5
  const lastedMs = (fragments.at(-1)?.producerMs ?? 0) - (fragments[0]?.producerMs ?? 0)
  if (Math.abs(gainedMs) < LEAST_DRIFT_MS || !isSteady || lastedMs <= 0) return 0
  return Math.max(-MOST_DRIFT, Math.min(MOST_DRIFT, gainedMs / lastedMs))
}

/**
 * Returns how long fragments last, their last pictures included, which ListFragments leaves out: till the next one where
 * that follows at once, else as much longer as is usual.
 */
function lengthsOf(
  fragments: readonly Listed[],
  startsMs: readonly number[],
  { framesPerSecond }: Cadence,
): readonly number[] {
  const frameMs = 1000 / framesPerSecond
  const beyond = fragments.map(({ lengthMs }, i) => {
    const lastMs = (startsMs[i + 1] ?? Number.POSITIVE_INFINITY) - (startsMs[i] ?? 0) - lengthMs
    return lastMs >= 0 && lastMs <= frameMs + LONGEST_LAST_MS ? lastMs : undefined
  })
  const known = beyond.filter((lastMs) => lastMs !== undefined).toSorted((a, b) => a - b)
  const usualMs = known[Math.floor(known.length / 2)] ?? frameMs
  return fragments.map(({ lengthMs }, i) => {
    return Math.max(1, Math.round(lengthMs + (beyond[i] ?? usualMs)))
  })
}

/** Returns counters as far apart as those in the numbers, or one after another where the numbers are of another make. */
function countersOf(fragments: readonly Listed[]): readonly number[] {
  const counters = fragments.map(({ number }) => decodeFragmentNumber(BigInt(number))?.counter)
  const [first = 0] = counters
  const apart = counters.map((counter = Number.NaN) => counter - first)
  const grow = apart.every((counter, i) => {
    return counter < 2 ** 40 && (i === 0 || counter > (apart[i - 1] ?? 0))
  })
  return grow ? apart : apart.map((_, i) => i)
}
