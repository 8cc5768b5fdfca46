import { GatewayError } from '../base/errors.ts'
import { SingleFlight } from '../base/single-flight.ts'
import { readMediaStructure } from '../formats/mp4/media-structure.ts'
import { theTrackOf } from '../formats/mp4/moof.ts'
import { rewriteMedia } from '../formats/mp4/rewrite.ts'
import type { FetchedTrack } from '../ingest/fetch-fragment.ts'
import type { Cell } from '../metrics/counter.ts'
import { contentId } from '../store/content-id.ts'
import { completeBody, type FragmentBody } from '../store/fragment-body.ts'
import type { FragmentKey } from '../store/fragment-key.ts'
import type { MemoryStore } from '../store/memory-store.ts'
import type { ArchiveEntry, PublishedName, RecordedEntry } from '../timeline/archive/entry.ts'
import type { RenditionName } from '../timeline/fragment.ts'
import { beginAt } from '../timeline/output-clock.ts'
import { unusableAnswer, upstreamError } from '../upstream/errors.ts'
import type { FoundWindow } from './lister.ts'
import { isRefusal } from './read-window.ts'
import type { RecordingWindow, WindowBounds } from './recording-window.ts'

export interface PastFragmentsOptions {
  readonly stream: string
  readonly store: MemoryStore
  readonly openWindow: (bounds: WindowBounds) => RecordingWindow
  readonly hits: Cell
  readonly misses: Cell
  readonly coalesced: Cell
}

/** With room for what a fragment of several chunks adds. */
const LATEST_TICKS = Number.MAX_SAFE_INTEGER - 2 ** 48

/**
 * The bytes of a stream's past. A fragment is fetched with all its tracks at once, when one is asked for,
 * and kept under its number and date, with times that follow from the date: so all ranges, viewers and
 * clips share it. What takes another place in its list is moved on its way out.
 */
export class PastFragments {
  readonly #options: PastFragmentsOptions
  readonly #flights = new SingleFlight<void>()
  readonly #running = new Set<string>()

  constructor(options: PastFragmentsOptions) {
    this.#options = options
  }

  /** @throws GatewayError `segment_gone`, or an upstream code */
  async get(
    window: RecordingWindow,
    entry: ArchiveEntry,
    rendition: RenditionName,
    signal: AbortSignal,
  ): Promise<FragmentBody> {
    const key = this.#key(entry, rendition)
    const body = await this.#stored(key, nameOf(entry), signal, (limited) =>
      this.#fetch(window, entry, limited),
    )
    return { ...completeBody(moved(body.bytes, entry, rendition)), origin: body.origin }
  }

  /** What had to be fetched to list a window need not be fetched again to play it. */
  keepSamples({ entries, samples }: FoundWindow): void {
    for (const { listed, tracks } of samples) {
      const entry = entries.find(({ number }) => number === listed.number)
      if (entry !== undefined) this.#tryToKeep(entry, tracks)
    }
  }

  /** A cache that is too small for it is no reason not to list it. */
  #tryToKeep(entry: RecordedEntry, tracks: readonly FetchedTrack[]): void {
    try {
      this.#keep(entry, tracks)
    } catch (error) {
      if (!(error instanceof GatewayError)) throw error
    }
  }

  #keep(entry: RecordedEntry, tracks: readonly FetchedTrack[]): void {
    const times = beginAt(undefined, factsOf(entry, tracks))
    const sequenceNumber = Number(BigInt.asUintN(32, entry.number))
    for (const { rendition, bytes } of tracks) {
      const baseTicks = times[rendition] ?? 0
      const placed = rewriteMedia(bytes, { baseTicks, sequenceNumber })
      this.#options.store.put(this.#key(entry, rendition), placed, 'none')
    }
  }

  /** The bytes that the live timeline has published, from KVS again. */
  async published(
    window: RecordingWindow,
    name: PublishedName,
    rendition: RenditionName,
    signal: AbortSignal,
  ): Promise<FragmentBody> {
    const key = `${this.#options.stream}/archive/${name.msn}-${name.id}/${rendition}`
    return this.#stored(key, key, signal, async (limited) => {
      const bytes = asPublished(await this.#original(window, name.number, rendition, limited), name)
      this.#options.store.put(key, bytes, 'none')
    })
  }

  /** As KVS has it. Kept, as names that nobody was told fit no bytes, and would be fetched for ever (G17). */
  async #original(
    window: RecordingWindow,
    number: bigint,
    rendition: RenditionName,
    signal: AbortSignal,
  ): Promise<Buffer> {
    const { store, stream } = this.#options
    const keyOf = (track: RenditionName): FragmentKey =>
      `${stream}/archive/${number.toString(36)}/${track}`
    if (store.get(keyOf(rendition)) === undefined) {
      await this.#flights.run(`${number.toString(36)}`, signal, async (limited) => {
        const tracks = await window.fetch(number, limited)
        for (const track of tracks) store.put(keyOf(track.rendition), track.bytes, 'none')
      })
    }
    const bytes = store.get(keyOf(rendition))
    if (bytes === undefined) throw upstreamError('segment_gone')
    return bytes
  }

  /** What is in the store under `key`; `fetch` puts it there, once for all who ask meanwhile (G8). */
  async #stored(
    key: FragmentKey,
    flight: string,
    signal: AbortSignal,
    fetch: (signal: AbortSignal) => Promise<void>,
  ): Promise<FragmentBody> {
    const { store, hits } = this.#options
    const known = store.get(key)
    if (known !== undefined) {
      hits.value += 1
      return completeBody(known)
    }
    const origin = this.#count(flight)
    await this.#flights.run(flight, signal, (limited) => {
      this.#running.add(flight)
      return fetch(limited).finally(() => this.#running.delete(flight))
    })
    const bytes = store.get(key)
    if (bytes === undefined) throw upstreamError('segment_gone')
    return { ...completeBody(bytes), origin }
  }

  #count(flight: string): 'miss' | 'collapsed' {
    const { misses, coalesced } = this.#options
    const joins = this.#running.has(flight)
    if (joins) coalesced.value += 1
    else misses.value += 1
    return joins ? 'collapsed' : 'miss'
  }

  async #fetch(window: RecordingWindow, entry: ArchiveEntry, signal: AbortSignal): Promise<void> {
    const tracks = await this.#tracks(window, entry, signal)
    for (const { rendition, facts } of tracks) {
      // Players were told to decode it with another one.
      if (facts.init.id === entry.inits[rendition]?.id) continue
      throw unusableAnswer(`the ${rendition} of a fragment is not what it was when it was listed`)
    }
    this.#keep(entry, tracks)
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

  #key(entry: RecordedEntry, rendition: RenditionName): FragmentKey {
    return `${this.#options.stream}/archive/${nameOf(entry)}/${rendition}`
  }
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

function nameOf({ number, dateMs }: RecordedEntry): string {
  return `${number.toString(36)}-${dateMs}`
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
  const { startMs, dateMs, number, inits } = entry
  const timescale = inits[rendition]?.timescale
  if (startMs === dateMs || timescale === undefined) return bytes
  const baseTicks = baseTicksOf(bytes) + Math.round(((startMs - dateMs) * timescale) / 1000)
  return rewriteMedia(bytes, { baseTicks, sequenceNumber: Number(BigInt.asUintN(32, number)) })
}

/** tfdt of a fragment, in ticks. */
export function baseTicksOf(bytes: Buffer): number {
  const [first] = readMediaStructure(bytes).chunks
  if (first === undefined) throw new GatewayError('internal', 'A stored fragment has no chunks')
  return theTrackOf(first.moof).startTicks
}
