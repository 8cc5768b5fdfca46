import { GatewayError } from '../base/errors.ts'
import { readMedia } from '../formats/mp4/media.ts'
import { readMediaStructure } from '../formats/mp4/media-structure.ts'
import { theTrackOf } from '../formats/mp4/moof.ts'
import { rewriteMedia } from '../formats/mp4/rewrite.ts'
import type { ArrivingTrack } from '../ingest/arriving-track.ts'
import { type FetchedTrack, verifyTrack } from '../ingest/fetch-fragment.ts'
import { retimed } from '../ingest/refetch.ts'
import { contentId } from '../store/content-id.ts'
import type { FragmentBody } from '../store/fragment-body.ts'
import type { FragmentCache, Opened } from '../store/fragment-cache.ts'
import {
  type FragmentKey,
  publishedKey,
  type RecordedForm,
  recordedKey,
} from '../store/fragment-key.ts'
import type { PublishedName } from '../timeline/archive/name.ts'
import type { RecordedFacts } from '../timeline/archive/place.ts'
import type { OutputTimes } from '../timeline/cursor.ts'
import type { InitFacts, RecordedSegment, RenditionName, TrackFacts } from '../timeline/fragment.ts'
import { sequenceNumberAt } from '../timeline/numbering.ts'
import { beginAt } from '../timeline/output-clock.ts'
import { msToTicks } from '../timeline/ticks.ts'
import { TOLERANCE_MS } from '../timeline/tolerance.ts'
import { unusableAnswer, upstreamError } from '../upstream/errors.ts'
import type { StreamedBody } from '../upstream/hls-session.ts'
import type { FoundWindow } from './lister.ts'
import { isRefusal } from './read-window.ts'
import type { RecordingWindow, WindowBounds } from './recording-window.ts'

export interface PastFragmentsOptions {
  readonly stream: string
  readonly cache: FragmentCache
  readonly openWindow: (bounds: WindowBounds) => RecordingWindow
}

/** How late ticks may be, with room for what a fragment of several chunks adds. */
const LATEST_TICKS = Number.MAX_SAFE_INTEGER - 2 ** 48

/**
 * Gives the bytes of a stream's past. A fragment is fetched with all its tracks at once, when one is asked for, and
 * kept under its number and date, with times that follow from the date, so that all ranges, viewers and clips share it.
 * What takes another place in its list is another form, made of that one.
 */
export class PastFragments {
  readonly #options: PastFragmentsOptions

  constructor(options: PastFragmentsOptions) {
    this.#options = options
  }

  /**
   * Returns the bytes of a recorded segment.
   * @throws GatewayError `segment_gone`, or an upstream code
   */
  get(
    window: RecordingWindow,
    segment: RecordedSegment,
    rendition: RenditionName,
    signal: AbortSignal,
  ): Promise<FragmentBody> {
    const { cache } = this.#options
    const { number, dateMs, startMs, leadMs } = segment
    const recorded = (limited: AbortSignal): Promise<FragmentBody> =>
      this.#recorded(window, segment, rendition, limited)
    if (startMs === dateMs && leadMs === 0) return recorded(signal)
    const form =
      leadMs === 0 ? (`from-${startMs}` as const) : (`from-${startMs}-${leadMs}` as const)
    const key = this.#key(rendition, number, form)
    return cache.derive(key, recorded, (bytes) => moved(bytes, segment, rendition), signal)
  }

  /** Keeps what had to be fetched to list a window, because it need not be fetched again to play it. */
  async keepSamples({ fragments, samples }: FoundWindow): Promise<void> {
    const byNumber = new Map(fragments.map((fragment) => [fragment.number, fragment]))
    for (const { listed, tracks } of samples) {
      const fragment = byNumber.get(listed.number)
      if (fragment !== undefined) await this.#keep(fragment, tracks)
    }
  }

  /**
   * Returns the bytes that the live timeline has published, from KVS again.
   * @param startMs where the segment begins
   */
  published(
    window: RecordingWindow,
    name: PublishedName,
    rendition: RenditionName,
    startMs: number,
    signal: AbortSignal,
  ): Promise<FragmentBody> {
    const { cache, stream } = this.#options
    const key = publishedKey(stream, rendition, name.msn, name.id)
    const fetched = (limited: AbortSignal): Promise<FragmentBody> =>
      this.#fetched(window, name.number, rendition, startMs, limited)
    return cache.derive(key, fetched, (bytes) => asPublished(bytes, name), signal)
  }

  /** Returns a fragment with times that follow from its date, handed on while it arrives. */
  #recorded(
    window: RecordingWindow,
    segment: RecordedSegment,
    rendition: RenditionName,
    signal: AbortSignal,
  ): Promise<FragmentBody> {
    const { number, dateMs } = segment
    const form = `from-${dateMs}` as const
    const key = this.#key(rendition, number, form)
    const open = (limited: AbortSignal): Promise<readonly Opened[]> =>
      this.#withOwnWindow(window, { startMs: dateMs, endMs: dateMs + 1 }, (from) =>
        this.#open(from, segment, limited),
      )
    return this.#options.cache.open(key, this.#group(number, form), open, signal)
  }

  async #open(
    window: RecordingWindow,
    segment: RecordedSegment,
    signal: AbortSignal,
  ): Promise<readonly Opened[]> {
    const { number, dateMs } = segment
    const keyOf = (rendition: RenditionName): FragmentKey =>
      this.#key(rendition, number, `from-${dateMs}`)
    const arriving = await window.openTracks(number, signal)
    if (arriving !== undefined) {
      try {
        for (const { rendition, init } of arriving) checkInit(segment, rendition, init)
        return arrivingPlans(window, segment, arriving).map(({ rendition, ...plan }) => ({
          key: keyOf(rendition),
          ...plan,
        }))
      } catch (error) {
        for (const { abandon } of arriving) abandon()
        throw error
      }
    }
    const tracks = await window.fetch(number, signal)
    for (const { rendition, facts } of tracks) checkInit(segment, rendition, facts.init)
    return placed(segment, tracks).map(({ rendition, bytes }) => whole(keyOf(rendition), bytes))
  }

  /**
   * Returns a fragment as KVS has it. It is kept, because names that nobody was told fit no bytes, and would be fetched
   * for ever (G17).
   */
  #fetched(
    window: RecordingWindow,
    number: bigint,
    rendition: RenditionName,
    startMs: number,
    signal: AbortSignal,
  ): Promise<FragmentBody> {
    const around = {
      startMs: Math.floor(startMs - TOLERANCE_MS),
      endMs: Math.ceil(startMs + TOLERANCE_MS),
    }
    const open = async (limited: AbortSignal): Promise<readonly Opened[]> => {
      const tracks = await this.#withOwnWindow(window, around, (from) =>
        from.fetch(number, limited, startMs),
      )
      return tracks.map(({ rendition: name, bytes }) =>
        whole(this.#key(name, number, 'fetched'), bytes),
      )
    }
    const key = this.#key(rendition, number, 'fetched')
    return this.#options.cache.open(key, this.#group(number, 'fetched'), open, signal)
  }

  async #keep(segment: RecordedFacts, tracks: readonly FetchedTrack[]): Promise<void> {
    const { number, dateMs } = segment
    const stored = placed(segment, tracks).map(({ rendition, bytes }) => ({
      key: this.#key(rendition, number, `from-${dateMs}`),
      bytes,
    }))
    try {
      await this.#options.cache.put(stored, 'none')
    } catch (error) {
      // A cache that is too small for it is no reason not to list it.
      if (!(error instanceof GatewayError)) throw error
    }
  }

  /**
   * Works with a window of the fragment's own, because a session refuses what has other tracks than its first fragment:
   * one of its own gives what there is.
   */
  async #withOwnWindow<T>(
    window: RecordingWindow,
    around: Omit<WindowBounds, 'fragmentResults'>,
    work: (window: RecordingWindow) => Promise<T>,
  ): Promise<T> {
    try {
      return await work(window)
    } catch (error) {
      if (!isRefusal(error)) throw error
      return work(this.#options.openWindow({ ...around, fragmentResults: 2 }))
    }
  }

  #key(rendition: RenditionName, number: bigint, form: RecordedForm): FragmentKey {
    return recordedKey(this.#options.stream, rendition, number, form)
  }

  /** Names all tracks of a fragment, which are fetched in one go. */
  #group(number: bigint, form: RecordedForm): string {
    return `${this.#options.stream}/${number.toString(36)}/${form}`
  }
}

/** Checks that a fragment needs the init that players were told to decode it with. */
function checkInit(segment: RecordedSegment, rendition: RenditionName, { id }: InitFacts): void {
  if (id === segment.tracks[rendition]?.init.id) return
  throw unusableAnswer(`the ${rendition} of a fragment is not what it was when it was listed`)
}

/**
 * How often a fetch that breaks off is begun again, from where it stood, because KVS throttles and resets now and then.
 */
const RESTARTS = 3

/** Says how each track is read with times that follow from the fragment's date. */
function arrivingPlans(
  window: RecordingWindow,
  segment: RecordedSegment,
  arriving: readonly ArrivingTrack[],
): readonly (Omit<Opened, 'key'> & { readonly rendition: RenditionName })[] {
  const sequenceNumber = sequenceNumberAt(segment.dateMs)
  const times = timesAt(segment, arriving)
  return arriving.map((track) => {
    const { rendition, init, abandon } = track
    const place = { baseTicks: times[rendition] ?? 0, sequenceNumber }
    let begun: StreamedBody | undefined = track.body
    const source = async function* (offset: number, signal: AbortSignal): AsyncGenerator<Buffer> {
      const body = begun ?? (await window.reopenTrack(segment.number, rendition, signal))
      begun = undefined
      signal.addEventListener('abort', abandon, { once: true })
      yield* retimed(body, { init, place, muxed: false, durationTicks: 0 }, offset)
    }
    const verify = (bytes: Buffer): void => verifyTrack(bytes, init)
    const size = track.sizeAt(place)
    const plan = { size, hold: 'none', source, verify, restarts: RESTARTS } as const
    return { rendition, plan, abandon }
  })
}

/** Returns what has come whole. */
function whole(key: FragmentKey, bytes: Buffer): Opened {
  const source = async function* (offset: number): AsyncGenerator<Buffer> {
    yield bytes.subarray(offset)
  }
  return { key, plan: { size: bytes.length, hold: 'none', source } }
}

/** Returns all tracks of a fragment with times that follow from its date. */
function placed(
  segment: RecordedFacts,
  tracks: readonly FetchedTrack[],
): readonly Pick<FetchedTrack, 'rendition' | 'bytes'>[] {
  const times = timesAt(
    segment,
    tracks.map(({ rendition, facts }) => ({ ...facts, rendition })),
  )
  return tracks.map(({ rendition, bytes }) => {
    const place = {
      baseTicks: times[rendition] ?? 0,
      sequenceNumber: sequenceNumberAt(segment.dateMs),
    }
    return { rendition, bytes: rewriteMedia(bytes, place) }
  })
}

/**
 * Writes the published times into a fragment.
 * @throws GatewayError when the name is of other bytes
 */
function asPublished(original: Buffer, { baseTicks, msn, id }: PublishedName): Buffer {
  const fault = 'other bytes than were published'
  // Names are viewers' words: times beyond all clocks are in no published one.
  if (baseTicks > LATEST_TICKS) throw unusableAnswer(fault)
  const bytes = rewriteMedia(original, { baseTicks, sequenceNumber: msn })
  if (contentId(bytes) === id) return bytes
  throw unusableAnswer(fault)
}

/** Returns where the tracks of a fragment begin: one at its date, the other as far from it as it was recorded. */
function timesAt(
  { number, dateMs }: RecordedFacts,
  tracks: readonly (Pick<TrackFacts, 'init' | 'baseTicks'> & {
    readonly rendition: RenditionName
  })[],
): OutputTimes {
  const facts = tracks.map(({ rendition, init, baseTicks }) => {
    return [rendition, { init, baseTicks, durationTicks: 0, samples: 0, bytes: 0 }] as const
  })
  return beginAt(undefined, {
    source: 'camera',
    number,
    timeBase: 0,
    startMs: dateMs,
    receivedMs: dateMs,
    tracks: Object.fromEntries(facts),
  })
}

/** Moves a fragment from its date to its place in the list, its first picture by as much more as that comes sooner. */
function moved(bytes: Buffer, segment: RecordedSegment, rendition: RenditionName): Buffer {
  const { startMs, dateMs, leadMs, tracks } = segment
  const init = tracks[rendition]?.init
  if (init === undefined) throw upstreamError('segment_gone')
  const ownLeadMs = rendition === 'video' ? leadMs : 0
  const ticks = (ms: number): number => msToTicks(ms, init.timescale)
  const { baseTicks, durationTicks } = readMedia(bytes, init)
  const place = {
    baseTicks: baseTicks + ticks(startMs + leadMs - dateMs) - ticks(ownLeadMs),
    sequenceNumber: sequenceNumberAt(startMs),
  }
  if (ownLeadMs === 0) return rewriteMedia(bytes, place)
  return rewriteMedia(bytes, { ...place, durationTicks: durationTicks + ticks(ownLeadMs) })
}

/** Reads the tfdt of a fragment, in ticks. */
export function baseTicksOf(bytes: Buffer): number {
  const [first] = readMediaStructure(bytes).chunks
  if (first === undefined) throw new GatewayError('internal', 'A stored fragment has no chunks')
  return Number(theTrackOf(first.moof).startTicks)
}
