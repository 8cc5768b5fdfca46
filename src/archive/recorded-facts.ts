import type { SessionFragment } from '../ingest/session-fragments.ts'
import type { PlacedBy, RecordedFacts } from '../timeline/archive/place.ts'
import { mapTracks } from '../timeline/cursor.ts'
import type { RecordedTrack, RenditionName, TrackFacts } from '../timeline/fragment.ts'
import { lastPictureOf } from '../timeline/last-picture.ts'
import { ticksToMs } from '../timeline/ticks.ts'
import { TOLERANCE_MS } from '../timeline/tolerance.ts'
import type { PlaylistName } from '../upstream/hls-session.ts'

/** How far EXTINF of KVS is off the media's own length, because it is in whole milliseconds. */
const ROUNDING_MS = 1
/** How much dates waver against the media: those of producers little, those of arrival by some 20 ms each. KVS.md, section 3.4. */
const WAVERING_MS: Readonly<Record<PlacedBy, number>> = { dates: 5, lengths: TOLERANCE_MS }

/** What is known of the tracks of a fragment that was fetched. */
export type SampleTracks = Readonly<Partial<Record<RenditionName, TrackFacts>>>

/**
 * Tells of each fragment of a window where its tracks begin and how long they last, from its playlists and from the few
 * fragments that were fetched.
 *
 * KVS dates a fragment by its picture, and its sound begins up to a frame later, in each fragment another part of one.
 * But sound goes on without a seam, in frames of one length. So where it begins follows from where it began before, by
 * lengths that are whole frames. Where that leads away from what was seen, frames were lost, or the lengths are wrong,
 * and it is led back by whole frames.
 *
 * @param samples what was fetched, by its place in the list; the first one is
 */
export function recordedFacts(
  playlists: readonly PlaylistName[],
  listed: readonly SessionFragment[],
  samples: ReadonlyMap<number, SampleTracks>,
  placedBy: PlacedBy,
): RecordedFacts[] {
  const seen = [...samples.values()]
  const lastPicture = lastPictureOf(seen.flatMap(({ video }) => video ?? []))
  const bounds = boundsOf(seen)
  let sample: SampleTracks = {}
  let before: RecordedFacts | undefined
  return listed.map(({ number, dateMs, lists }, i): RecordedFacts => {
    const own = samples.get(i)
    sample = own ?? sample
    const known = sample
    const tracks = mapTracks(known, (facts, name): RecordedTrack => {
      const at = playlists.findIndex((playlist) => playlist === name || playlist === 'muxed')
      const listedMs = (lists[at]?.durationS ?? 0) * 1000
      const isAlone = playlists[at] === name
      const lengthMs = own === undefined ? wholeMs(listedMs, stepMs(facts)) : trackMs(facts)
      if (name === 'video' || known.video === undefined)
        return { init: facts.init, lengthMs, offsetMs: 0 }
      const seenMs = audioOffsetMs(known)
      const nextMs =
        isAlone && before !== undefined ? nextOffsetMs(before, dateMs, placedBy) : undefined
      const isSeen = own !== undefined || nextMs === undefined
      const offsetMs = isSeen ? seenMs : within(nextMs, bounds, facts)
      return { init: facts.init, lengthMs, offsetMs }
    })
    before = { number, dateMs, tracks, lastPicture }
    return before
  })
}

/** How much later than its picture the sound of a fragment begins, in milliseconds; 0 without both. */
function audioOffsetMs({ video, audio }: SampleTracks): number {
  if (video === undefined || audio === undefined) return 0
  return (
    ticksToMs(audio.baseTicks, audio.init.timescale) -
    ticksToMs(video.baseTicks, video.init.timescale)
  )
}

/** Returns where the sound of the next fragment begins if nothing of it is missing; undefined where there was none. */
function nextOffsetMs(
  { dateMs: beforeMs, tracks: { video, audio } }: RecordedFacts,
  dateMs: number,
  placedBy: PlacedBy,
): number | undefined {
  if (video === undefined || audio === undefined) return undefined
  const datedMs = dateMs - beforeMs
  // Lengths tell better than dates where they mean the same.
  const isSame = Math.abs(datedMs - video.lengthMs) <= WAVERING_MS[placedBy]
  const pictureMs = isSame ? video.lengthMs : datedMs
  return audio.offsetMs + audio.lengthMs - pictureMs
}

interface Bounds {
  readonly leastMs: number
  readonly mostMs: number
}

function boundsOf(seen: readonly SampleTracks[]): Bounds {
  const both = seen.filter(({ video, audio }) => video !== undefined && audio !== undefined)
  const offsetsMs = both.map(audioOffsetMs)
  return { leastMs: Math.min(...offsetsMs), mostMs: Math.max(...offsetsMs) }
}

/** Moves by whole frames what is further than one from what was seen. */
function within(offsetMs: number, { leastMs, mostMs }: Bounds, facts: TrackFacts): number {
  const frameMs = stepMs(facts)
  if (frameMs === undefined) return Math.min(mostMs, Math.max(leastMs, offsetMs))
  const [least, most] = [Math.min(leastMs, mostMs - frameMs), Math.max(mostMs, leastMs + frameMs)]
  if (offsetMs > most + ROUNDING_MS)
    return offsetMs - Math.ceil((offsetMs - most) / frameMs) * frameMs
  if (offsetMs < least - ROUNDING_MS)
    return offsetMs + Math.ceil((least - offsetMs) / frameMs) * frameMs
  return offsetMs
}

/** Returns the length that is listed, as so many whole steps as it rounds. */
function wholeMs(listedMs: number, step: number | undefined): number {
  const exactMs = step === undefined ? listedMs : Math.round(listedMs / step) * step
  return Math.abs(exactMs - listedMs) <= ROUNDING_MS ? exactMs : Math.round(listedMs * 1000) / 1000
}

function trackMs({ durationTicks, init }: TrackFacts): number {
  return ticksToMs(durationTicks, init.timescale)
}

/** Returns how far samples are apart, in milliseconds; undefined where that is not always the same. */
function stepMs({ durationTicks, samples, steps, init }: TrackFacts): number | undefined {
  const ticks = durationTicks / samples
  const isEven =
    steps === undefined ||
    samples === 1 ||
    (steps.shortestTicks === ticks && steps.longestTicks === ticks && steps.lastTicks === ticks)
  if (!isEven || !Number.isSafeInteger(ticks)) return undefined
  return ticksToMs(ticks, init.timescale)
}
