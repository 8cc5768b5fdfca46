import { GatewayError } from '../base/errors.ts'
import { readMediaStructure } from '../formats/mp4/media-structure.ts'
import { theTrackOf } from '../formats/mp4/moof.ts'
import { rewriteMedia } from '../formats/mp4/rewrite.ts'
import type { FetchedTrack } from '../ingest/fetch-fragment.ts'
import { contentId } from '../store/content-id.ts'
import type { FragmentBody } from '../store/fragment-body.ts'
import type { FragmentCache, Opened } from '../store/fragment-cache.ts'
import {
  type FragmentKey,
  publishedKey,
  type RecordedForm,
  recordedKey,
} from '../store/fragment-key.ts'
import type { ArchiveEntry, PublishedName, RecordedEntry } from '../timeline/archive/entry.ts'
import type { RenditionName } from '../timeline/fragment.ts'
import { beginAt } from '../timeline/output-clock.ts'
import { unusableAnswer, upstreamError } from '../upstream/errors.ts'
import type { FoundWindow } from './lister.ts'
import { isRefusal } from './read-window.ts'
import type { RecordingWindow, WindowBounds } from './recording-window.ts'

export interface PastFragmentsOptions {
  readonly stream: string
  readonly cache: FragmentCache
  readonly openWindow: (bounds: WindowBounds) => RecordingWindow
}

/** With room for what a fragment of several chunks adds. */
const LATEST_TICKS = Number.MAX_SAFE_INTEGER - 2 ** 48

/**
 * The bytes of a stream's past. A fragment is fetched with all its tracks at once, when one is asked for,
 * and kept under its number and date, with times that follow from the date: so all ranges, viewers and
 * clips share it. What takes another place in its list is another form, made of that one.
 */
export class PastFragments {
  readonly #options: PastFragmentsOptions

  constructor(options: PastFragmentsOptions) {
    this.#options = options
  }

  /** @throws GatewayError `segment_gone`, or an upstream code */
  get(
    window: RecordingWindow,
    entry: ArchiveEntry,
    rendition: RenditionName,
    signal: AbortSignal,
  ): Promise<FragmentBody> {
    const { cache } = this.#options
    const { number, dateMs, startMs } = entry
    const recorded = (limited: AbortSignal): Promise<FragmentBody> =>
      this.#recorded(window, entry, rendition, limited)
    if (startMs === dateMs) return recorded(signal)
    const key = this.#key(rendition, number, `at-${startMs}`)
    return cache.derive(key, recorded, (bytes) => moved(bytes, entry, rendition), signal)
  }

  /** What had to be fetched to list a window need not be fetched again to play it. */
  async keepSamples({ entries, samples }: FoundWindow): Promise<void> {
    const byNumber = new Map(entries.map((entry) => [entry.number, entry]))
    for (const { listed, tracks } of samples) {
      const entry = byNumber.get(listed.number)
      if (entry !== undefined) await this.#keep(entry, tracks)
    }
  }

  /** The bytes that the live timeline has published, from KVS again. */
  published(
    window: RecordingWindow,
    name: PublishedName,
    rendition: RenditionName,
    signal: AbortSignal,
  ): Promise<FragmentBody> {
    const { cache, stream } = this.#options
    const key = publishedKey(stream, rendition, name.msn, name.id)
    const fetched = (limited: AbortSignal): Promise<FragmentBody> =>
      this.#fetched(window, name.number, rendition, limited)
    return cache.derive(key, fetched, (bytes) => asPublished(bytes, name), signal)
  }

  /** With times that follow from its date. */
  #recorded(
    window: RecordingWindow,
    entry: ArchiveEntry,
    rendition: RenditionName,
    signal: AbortSignal,
  ): Promise<FragmentBody> {
    const { number, dateMs } = entry
    const form = `at-${dateMs}` as const
    const open = async (limited: AbortSignal): Promise<readonly Opened[]> => {
      const tracks = await this.#tracks(window, entry, limited)
      for (const { rendition: name, facts } of tracks) {
        // Players were told to decode it with another one.
        if (facts.init.id === entry.inits[name]?.id) continue
        throw unusableAnswer(`the ${name} of a fragment is not what it was when it was listed`)
      }
      return placed(entry, tracks).map(({ rendition: name, bytes }) =>
        opened(this.#key(name, number, form), bytes),
      )
    }
    const key = this.#key(rendition, number, form)
    return this.#options.cache.open(key, this.#together(number, form), open, signal)
  }

  /** As KVS has it. Kept, as names that nobody was told fit no bytes, and would be fetched for ever (G17). */
  #fetched(
    window: RecordingWindow,
    number: bigint,
    rendition: RenditionName,
    signal: AbortSignal,
  ): Promise<FragmentBody> {
    const open = async (limited: AbortSignal): Promise<readonly Opened[]> => {
      const tracks = await window.fetch(number, limited)
      return tracks.map(({ rendition: name, bytes }) =>
        opened(this.#key(name, number, 'fetched'), bytes),
      )
    }
    const key = this.#key(rendition, number, 'fetched')
    return this.#options.cache.open(key, this.#together(number, 'fetched'), open, signal)
  }

  async #keep(entry: RecordedEntry, tracks: readonly FetchedTrack[]): Promise<void> {
    const { number, dateMs } = entry
    const stored = placed(entry, tracks).map(({ rendition, bytes }) => ({
      key: this.#key(rendition, number, `at-${dateMs}`),
      bytes,
    }))
    try {
      await this.#options.cache.put(stored, 'none')
    } catch (error) {
      // A cache that is too small for it is no reason not to list it.
      if (!(error instanceof GatewayError)) throw error
    }
  }

  /** A session refuses what has other tracks than its first fragment: one of its own gives what there is. */
  async #tracks(
    window: RecordingWindow,
    { number, dateMs }: ArchiveEntry,
    signal: AbortSignal,
  ): Promise<readonly FetchedTrack[]> {
    try {
      return await window.fetch(number, signal)
    } catch (error) {
      if (!isRefusal(error)) throw error
      const own = this.#options.openWindow({
        startMs: dateMs,
        endMs: dateMs + 1,
        fragmentResults: 2,
      })
      return own.fetch(number, signal)
    }
  }

  #key(rendition: RenditionName, number: bigint, form: RecordedForm): FragmentKey {
    return recordedKey(this.#options.stream, rendition, number, form)
  }

  /** Names all tracks of a fragment, which are fetched in one go. */
  #together(number: bigint, form: RecordedForm): string {
    return `${this.#options.stream}/${number.toString(36)}/${form}`
  }
}

/** What has come whole. */
function opened(key: FragmentKey, bytes: Buffer): Opened {
  const source = async function* (offset: number): AsyncGenerator<Buffer> {
    yield bytes.subarray(offset)
  }
  return { key, plan: { size: bytes.length, hold: 'none', source } }
}

/** All tracks of a fragment with times that follow from its date. */
function placed(
  entry: RecordedEntry,
  tracks: readonly FetchedTrack[],
): readonly Pick<FetchedTrack, 'rendition' | 'bytes'>[] {
  const times = beginAt(undefined, factsOf(entry, tracks))
  return tracks.map(({ rendition, bytes }) => {
    const place = { baseTicks: times[rendition] ?? 0, sequenceNumber: sequenceNumberOf(entry) }
    return { rendition, bytes: rewriteMedia(bytes, place) }
  })
}

/** @throws GatewayError when the name is of other bytes */
function asPublished(original: Buffer, { baseTicks, msn, id }: PublishedName): Buffer {
  const fault = 'other bytes than were published'
  // Names are viewers' words: times beyond all clocks are in no published one.
  if (baseTicks > LATEST_TICKS) throw unusableAnswer(fault)
  const bytes = rewriteMedia(original, { baseTicks, sequenceNumber: msn })
  if (contentId(bytes) === id) return bytes
  throw unusableAnswer(fault)
}

function sequenceNumberOf({ number }: RecordedEntry): number {
  return Number(BigInt.asUintN(32, number))
}

function factsOf({ number, dateMs }: RecordedEntry, tracks: readonly FetchedTrack[]) {
  return {
    source: 'camera',
    number,
    timeBase: 0,
    startMs: dateMs,
    receivedMs: dateMs,
    tracks: Object.fromEntries(tracks.map(({ rendition, facts }) => [rendition, facts])),
  } as const
}

/** From its date to its place in the list. */
function moved(bytes: Buffer, entry: ArchiveEntry, rendition: RenditionName): Buffer {
  const { startMs, dateMs, inits } = entry
  const timescale = inits[rendition]?.timescale
  if (timescale === undefined) throw upstreamError('segment_gone')
  const baseTicks = baseTicksOf(bytes) + Math.round(((startMs - dateMs) * timescale) / 1000)
  return rewriteMedia(bytes, { baseTicks, sequenceNumber: sequenceNumberOf(entry) })
}

/** tfdt of a fragment, in ticks. */
export function baseTicksOf(bytes: Buffer): number {
  const [first] = readMediaStructure(bytes).chunks
  if (first === undefined) throw new GatewayError('internal', 'A stored fragment has no chunks')
  return Number(theTrackOf(first.moof).startTicks)
}
