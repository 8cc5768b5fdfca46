import type { Finding } from './fault.ts'
import type { ListedSegment } from './media-playlist.ts'
import type { MediaSegment } from './media-segment.ts'

/** A listed segment together with what its bytes say. */
export interface WatchedSegment {
  readonly listed: ListedSegment
  readonly media: MediaSegment
  /** SHA-256 of the init segment's bytes that its EXT-X-MAP names. */
  readonly initDigest: string
}

/** All renditions of one fragment. One that has no media for it lists EXT-X-GAP. */
export interface Row {
  readonly msn: number
  readonly entries: ReadonlyMap<string, WatchedSegment | 'gap'>
}

export interface Tolerances {
  /** How far neighbours may be off the fragments' own durations. G2 says 1 ms. */
  readonly jumpMs: number
  /** EXTINF against the media. G4 says 1 ms. */
  readonly extinfMs: number
  /** Producer clocks wobble: less than this is no gap. G4 says 50 ms. */
  readonly gapMs: number
  /**
   * What lies between two segments if a break between them is needless. Jitter absorbed before may hide some of a real gap;
   * 0 for a list of an origin, whose own breaks are shown wherever its dates run on.
   */
  readonly seamlessMs: number
  /** EXT-X-PROGRAM-DATE-TIME against tfdt. */
  readonly pdtMs: number
  /** How far apart video and audio of one fragment may start: some AAC frames. */
  readonly renditionsMs: number
}

export const CONTRACT_TOLERANCES: Tolerances = {
  jumpMs: 1,
  extinfMs: 1,
  gapMs: 50,
  seamlessMs: 10,
  pdtMs: 50,
  renditionsMs: 150,
}

/** Printing PDT in milliseconds and EXTINF in decimals rounds; a judge must not trip over that. */
const ROUNDING_MS = 0.6
/** Milliseconds since 1970 as doubles are exact to a quarter of a microsecond. */
const FLOAT_MS = 1e-3

/** What is wrong with one segment on its own. */
function checkSegment(
  { listed, media }: WatchedSegment,
  tolerances: Tolerances,
): readonly Finding[] {
  const findings: Finding[] = []
  const { msn, durationMs, pdtMs } = listed
  if (Math.abs(durationMs - media.durationMs) > tolerances.extinfMs + FLOAT_MS) {
    const detail = `EXTINF ${listed.extinf}, samples last ${media.durationMs / 1000}`
    findings.push({ kind: 'extinf-mismatch', msn, detail })
  }
  // Output is locked to the epoch: what PDT says in words, tfdt says in ticks.
  if (pdtMs !== undefined && Math.abs(pdtMs - media.startMs) > tolerances.pdtMs + ROUNDING_MS) {
    const detail = `PDT ${new Date(pdtMs).toISOString()}, tfdt at ${media.startMs} ms`
    findings.push({ kind: 'pdt-mismatch', msn, detail })
  }
  return findings
}

/** How far `next` starts from where `previous` ends, by decode time: 0 is seamless. */
function shiftMs(previous: WatchedSegment, next: WatchedSegment): number {
  return next.media.startMs - (previous.media.startMs + previous.media.durationMs)
}

/** What is wrong with a fragment's renditions, alone and against those of the fragment before it. */
export function checkRow(
  previous: Row | undefined,
  row: Row,
  tolerances: Tolerances,
): readonly Finding[] {
  const before = previous?.msn === row.msn - 1 ? previous : undefined
  return [
    ...watched(row).flatMap(([name, segment]) =>
      checkSegment(segment, tolerances).map((finding) => ({ ...finding, rendition: name })),
    ),
    ...checkTogether(row, tolerances),
    ...(before === undefined ? [] : checkSeam(before, row, tolerances)),
  ]
}

function watched({ entries }: Row): readonly (readonly [string, WatchedSegment])[] {
  return [...entries].filter((entry): entry is [string, WatchedSegment] => entry[1] !== 'gap')
}

function checkSeam(previous: Row, row: Row, tolerances: Tolerances): readonly Finding[] {
  const findings = neighbours(previous, row).flatMap(([name, before, after]) =>
    [...checkMap(before, after), ...checkContinuous(before, after, tolerances)].map((finding) => ({
      ...finding,
      rendition: name,
    })),
  )
  return [
    ...findings,
    ...checkBreak(previous, row, tolerances),
    ...checkShifts(previous, row, tolerances),
  ]
}

type Neighbours = readonly [string, WatchedSegment, WatchedSegment]

function neighbours(previous: Row, row: Row): readonly Neighbours[] {
  return watched(row).flatMap(([name, after]): Neighbours[] => {
    const before = previous.entries.get(name)
    return before === undefined || before === 'gap' ? [] : [[name, before, after]]
  })
}

function checkMap(previous: WatchedSegment, next: WatchedSegment): readonly Finding[] {
  const { msn, mapUri } = next.listed
  const sameUri = mapUri === previous.listed.mapUri
  const sameContent = next.initDigest === previous.initDigest
  if (!sameUri && sameContent) {
    const detail = `${previous.listed.mapUri} and ${mapUri} hold the same bytes`
    return [{ kind: 'map-without-change', msn, detail }]
  }
  if (!sameContent && !next.listed.discontinuity) {
    return [{ kind: 'init-without-discontinuity', msn, detail: `new content in ${mapUri}` }]
  }
  return []
}

function checkContinuous(
  previous: WatchedSegment,
  next: WatchedSegment,
  { jumpMs, gapMs }: Tolerances,
): readonly Finding[] {
  const { msn, discontinuity } = next.listed
  if (discontinuity) return []
  const findings: Finding[] = []
  const shift = shiftMs(previous, next)
  if (Math.abs(shift) > jumpMs + FLOAT_MS) {
    const detail = `tfdt is ${shift.toFixed(3)} ms off the end of segment ${msn - 1}`
    findings.push({ kind: 'timeline-jump', msn, detail })
  }
  const gap = clockGapMs(previous, next)
  if (gap !== undefined && Math.abs(gap) > gapMs + ROUNDING_MS) {
    const detail = `PDT leaves ${gap.toFixed(1)} ms between the two, without DISCONTINUITY`
    findings.push({ kind: 'hidden-gap', msn, detail })
  }
  return findings
}

/**
 * A discontinuity needs a reason that viewers can see: a gap or an overlap, another init segment, a
 * rendition that came or went. One in any rendition is a reason for all, since they keep in step.
 */
function checkBreak(previous: Row, row: Row, { seamlessMs }: Tolerances): readonly Finding[] {
  const pairs = neighbours(previous, row)
  const breaks = pairs.filter(([, , after]) => after.listed.discontinuity)
  if (breaks.length === 0 || renditionsOf(previous) !== renditionsOf(row)) return []
  const reason = pairs.some(([, before, after]) => {
    const gap = clockGapMs(before, after)
    const seamless = gap !== undefined && Math.abs(gap) < seamlessMs
    return !seamless || before.initDigest !== after.initDigest
  })
  if (reason) return []
  const detail = 'DISCONTINUITY between segments that follow on, with the same init segments'
  return [{ kind: 'needless-discontinuity', msn: row.msn, detail }]
}

const renditionsOf = (row: Row): string =>
  watched(row)
    .map(([name]) => name)
    .sort()
    .join()

function clockGapMs(previous: WatchedSegment, next: WatchedSegment): number | undefined {
  const from = previous.listed.pdtMs
  const to = next.listed.pdtMs
  if (from === undefined || to === undefined) return undefined
  return to - (from + previous.media.durationMs)
}

/** G7: the same fragment under the same MSN in all renditions. */
function checkTogether(row: Row, { renditionsMs }: Tolerances): readonly Finding[] {
  const [first, ...others] = watched(row).map(([, segment]) => segment)
  if (first === undefined) return []
  const { msn } = row
  return others.flatMap((other): Finding[] => {
    const apart = Math.abs(first.media.startMs - other.media.startMs)
    if (apart > renditionsMs) {
      const detail = `renditions start ${apart.toFixed(1)} ms apart`
      return [{ kind: 'renditions-apart', msn, detail }]
    }
    if (first.listed.dsn === other.listed.dsn) return []
    const detail = `discontinuity sequence ${first.listed.dsn} here, ${other.listed.dsn} there`
    return [{ kind: 'renditions-apart', msn, detail }]
  })
}

/** G2: whatever shifts one rendition shifts the other by as much, or lips and words part. */
function checkShifts(previous: Row, row: Row, { jumpMs }: Tolerances): readonly Finding[] {
  const shifts = neighbours(previous, row)
    .filter(([, , after]) => !after.listed.discontinuity)
    .map(([, before, after]) => shiftMs(before, after))
  const unequal = Math.max(...shifts) - Math.min(...shifts)
  if (shifts.length < 2 || unequal <= jumpMs + FLOAT_MS) return []
  const detail = `one rendition is shifted ${unequal.toFixed(3)} ms further than the other`
  return [{ kind: 'shift-unequal', msn: row.msn, detail }]
}
