/** How long fragments are, and how often a key frame comes: what the delay of every player follows from. */
import type { KvsObservations, MatroskaFragment } from '../../../trace/trace.ts'
import { type Finding, fine, found } from '../finding.ts'
import { median, span } from '../numbers.ts'
import type { SessionFacts } from '../session-facts.ts'

/** Above this, players are too far behind; below that, KVS throttles. */
const [LONG_MS, SHORT_MS] = [6000, 950]
/** How many target durations players stay behind. RFC 8216, 6.3.3. */
const BEHIND = 3

/** The fragments' lengths and the key frames in them. */
interface Lengths {
  readonly typicalMs: number
  readonly longestMs: number
  /** How far key frames are apart at most; undefined where that is not known. */
  readonly keysApartMs: number | undefined
  readonly beginsWithKey: boolean
}

export function fragments(o: KvsObservations, session: SessionFacts | undefined): Finding[] {
  const lengths = lengthsOf(o, session)
  if (lengths === undefined) return []
  const { typicalMs, longestMs, keysApartMs, beginsWithKey } = lengths
  const key = keysApartMs === undefined ? '' : `, a key frame each ${span(keysApartMs)}`
  const delayMs = BEHIND * Math.ceil(longestMs / 1000) * 1000
  const seen = `${span(typicalMs)} long, ${span(longestMs)} at most${key}; players will be about ${span(delayMs)} behind`
  if (!beginsWithKey) {
    return [found('fragments', 'first_not_key', `they begin without a key frame; ${seen}`)]
  }
  if (longestMs > LONG_MS) {
    // Where the encoder gives key frames more often, it is not its interval that makes them long.
    const isGop = keysApartMs !== undefined && keysApartMs > longestMs * 0.75
    return [found('fragments', isGop ? 'long_gop' : 'long_fragments', seen)]
  }
  if (typicalMs < SHORT_MS) return [found('fragments', 'short_fragments', seen)]
  return [fine('fragments', seen)]
}

function lengthsOf(o: KvsObservations, session: SessionFacts | undefined): Lengths | undefined {
  const all = lengthsMs(o, session)
  if (all.length === 0) return undefined
  const [video] = session?.renditions ?? []
  const media = video?.look.media.find(({ syncAtMs = [] }) => syncAtMs.length > 0)
  const timescale = video?.look.inits[0]?.timescale
  const isVideo = video?.look.inits[0]?.rendition === 'video'
  const durationMs =
    media?.durationTicks === undefined || timescale === undefined
      ? undefined
      : (media.durationTicks / timescale) * 1000
  const known = isVideo && durationMs !== undefined ? media?.syncAtMs : undefined
  const [newest] = o.matroska ?? []
  const keys = known ?? keysOf(newest)
  const endMs = known === undefined ? matroskaMs(newest) : durationMs
  return {
    typicalMs: median(all),
    longestMs: Math.max(...all),
    keysApartMs: keys === undefined || endMs === undefined ? undefined : widest([...keys, endMs]),
    beginsWithKey: keys?.[0] === undefined || keys[0] < 100,
  }
}

function lengthsMs(o: KvsObservations, session: SessionFacts | undefined): readonly number[] {
  const listed = session?.renditions[0]?.lists.at(-1)?.list.segments ?? []
  if (listed.length > 0) return listed.map(({ durationS }) => durationS * 1000)
  const stored = o.listing?.fragments ?? []
  const starts = stored.map(({ producerMs }) => producerMs)
  // The length ends where the last frame begins: up to the next fragment is nearer, if there is one.
  return stored.map(({ lengthMs }, i) => {
    const toNextMs = (starts[i + 1] ?? 0) - (starts[i] ?? 0)
    return toNextMs > lengthMs && toNextMs < lengthMs + 500 ? toNextMs : lengthMs
  })
}

function keysOf(matroska: MatroskaFragment | undefined): readonly number[] | undefined {
  const video = matroska?.tracks.find(({ type }) => type === 'video')
  const keys = video?.blocks.filter(({ isKey }) => isKey).map(({ atMs }) => atMs)
  return keys === undefined || keys.length === 0 ? undefined : keys
}

function matroskaMs(matroska: MatroskaFragment | undefined): number | undefined {
  const times = matroska?.tracks.flatMap(({ blocks }) => blocks.map(({ atMs }) => atMs)) ?? []
  return times.length === 0 ? undefined : Math.max(...times)
}

function widest(times: readonly number[]): number {
  return Math.max(...times.slice(1).map((time, i) => time - (times[i] ?? 0)))
}
