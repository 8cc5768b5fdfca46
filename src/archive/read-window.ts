import { GatewayError } from '../base/errors.ts'
import { Mp4Error } from '../formats/mp4/mp4-error.ts'
import type { FetchedTrack } from '../ingest/fetch-fragment.ts'
import { fetchFragment, type SessionFragment } from '../ingest/session-fragments.ts'
import type { PlacedBy, RecordedFacts } from '../timeline/archive/place.ts'
import { isTransient } from '../upstream/errors.ts'
import { recordedFacts, type SampleTracks } from './recorded-facts.ts'
import type { OpenedWindow } from './recording-window.ts'

/** A fragment that was fetched to learn what the others around it are like. */
export interface Sample {
  readonly listed: SessionFragment
  readonly tracks: readonly FetchedTrack[]
}

/** What a window's session lists, as far as it can be played with one set of tracks. */
export interface ReadWindow {
  readonly fragments: readonly RecordedFacts[]
  /** The fragments that were fetched for it. */
  readonly samples: readonly Sample[]
  /** The first fragment that this session refuses; only another session says what tracks it has. */
  readonly refused: SessionFragment | undefined
}

/**
 * How many fragments are looked at, evenly, the last one included, because tracks may also go and come back within a
 * window. With the first, both tracks of these are what a session gives within a second.
 */
const MARKS = 5

/** How many are fetched side by side; the quota has them wait anyhow. */
const PARALLEL = 8

/**
 * Learns what must be known before a window can be listed, from as few fragments as possible: the first of
 * each stretch with the same codec private data, and some others, since KVS lists fragments of other tracks
 * or codecs too and only refuses to give them (KVS.md, section 6.3).
 */
export async function readWindow(
  opened: OpenedWindow,
  placedBy: PlacedBy,
  signal: AbortSignal,
): Promise<ReadWindow> {
  const samples = new Map<number, Sample>()
  const look = async (at: number): Promise<void> => {
    const listed = opened.listed[at]
    if (listed === undefined || samples.has(at)) return
    samples.set(at, { listed, tracks: await fetchFragment(opened.session, listed, signal) })
  }
  const bound = await firstRefused(opened.listed.length, look)
  const heads = opened.listed
    .slice(0, bound)
    .flatMap((each, i) => (beginsAnew(opened.listed[i - 1], each) ? [i] : []))
  const end = await lookAll(heads, look, bound)
  const listed = opened.listed.slice(0, end)
  const seen = new Map([...samples].map(([at, sample]) => [at, tracksOf(sample)]))
  return {
    fragments: recordedFacts(opened.session.playlists, listed, seen, placedBy),
    samples: [...samples.values()],
    refused: opened.listed[end],
  }
}

/** Looks at all; returns the first that is refused, or `end`. */
async function lookAll(
  heads: readonly number[],
  look: (at: number) => Promise<void>,
  end: number,
): Promise<number> {
  for (let i = 0; i < heads.length; i += PARALLEL) {
    const some = heads.slice(i, i + PARALLEL)
    const given = await Promise.all(some.map((at) => isGiven(at, look)))
    const refused = some[given.indexOf(false)]
    if (refused !== undefined) return refused
  }
  return end
}

/** Says where new codec private data may begin: another EXT-X-MAP; with MPEG-TS, all that is not continuous. */
function beginsAnew(before: SessionFragment | undefined, next: SessionFragment): boolean {
  if (before === undefined) return true
  return next.lists.some((listed, i) => {
    const previous = before.lists[i]
    if (listed === undefined || previous === undefined) return listed !== previous
    if (listed.map === undefined) return listed.discontinuity !== undefined
    return listed.map.key !== previous.map?.key
  })
}

/** Returns the index of the first fragment that the session refuses; behind the last when it gives all looked at. */
async function firstRefused(count: number, look: (at: number) => Promise<void>): Promise<number> {
  const marks = Array.from({ length: MARKS }, (_, i) => Math.floor(((count - 1) * (i + 1)) / MARKS))
  const given = await Promise.all(marks.map((at) => isGiven(at, look)))
  const first = given.indexOf(false)
  if (first < 0) return count
  let [low, high] = [marks[first - 1] ?? 0, marks[first] ?? count]
  while (high - low > 1) {
    const middle = Math.floor((low + high) / 2)
    if (await isGiven(middle, look)) low = middle
    else high = middle
  }
  return high
}

async function isGiven(at: number, look: (at: number) => Promise<void>): Promise<boolean> {
  try {
    await look(at)
    return true
  } catch (error) {
    if (isRefusal(error)) return false
    throw error
  }
}

/** Says whether it is a clear no, or other media than the session began with. */
export function isRefusal(error: unknown): boolean {
  if (error instanceof Mp4Error) return true
  if (!(error instanceof GatewayError) || isTransient(error)) return false
  return error.code !== 'segment_gone'
}

function tracksOf({ tracks }: Sample): SampleTracks {
  return Object.fromEntries(tracks.map(({ rendition, facts }) => [rendition, facts]))
}
