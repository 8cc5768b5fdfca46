import type {
  ArchiveEntry,
  ArchiveInits,
  ArchiveName,
  RecordedEntry,
} from '../timeline/archive/entry.ts'
import { entryOf } from '../timeline/archive/from-live.ts'
import { longestMs, type PlacedBy, placeEntry } from '../timeline/archive/place.ts'
import { mapTracks, RENDITIONS } from '../timeline/cursor.ts'
import { type DvrSegment, liveSegment } from '../timeline/dvr/dvr-segment.ts'
import type { RecordedSegment, RenditionName, Segment } from '../timeline/fragment.ts'
import { BLOCK_SEGMENTS, packRuns, type SegmentBlock } from '../timeline/segment-block.ts'
import type { SegmentList } from '../timeline/segment-list.ts'
import { TOLERANCE_MS } from '../timeline/tolerance.ts'
import type { FoundWindow } from './lister.ts'
import { Rates } from './rates.ts'
import type { RecordingWindow } from './recording-window.ts'

/** The entries of one list, in order, and where their bytes are. Grows at its end only. */
export class PastList {
  readonly #placedBy: PlacedBy
  readonly #entries: ArchiveEntry[] = []
  /** The same as players see it. */
  #blocks: readonly SegmentBlock[] = []
  #tail: readonly (DvrSegment | RecordedSegment)[] = []
  /** Each with the index of its first entry. */
  readonly #windows: { readonly from: number; readonly window: RecordingWindow }[] = []
  readonly #inits = new Map<string, Buffer>()
  readonly #rates = new Rates()
  readonly #renditions = new Set<RenditionName>()

  constructor(placedBy: PlacedBy) {
    this.#placedBy = placedBy
  }

  get entries(): readonly ArchiveEntry[] {
    return this.#entries
  }

  get last(): ArchiveEntry | undefined {
    return this.#entries.at(-1)
  }

  /** All of it as players see it, from MSN 0 on. */
  listed(facts: Pick<SegmentList, 'targetDuration' | 'type' | 'ended'>): SegmentList {
    return Object.freeze({
      ...facts,
      version: this.#entries.length,
      mediaSequence: 0,
      discontinuitySequence: 0,
      rates: this.#rates.measured(),
      renditions: RENDITIONS.filter((name) => this.#renditions.has(name)),
      blocks: this.#blocks,
      tail: this.#tail,
    })
  }

  init(rendition: RenditionName, id: string): Buffer | undefined {
    return this.#inits.get(`${rendition}/${id}`)
  }

  /** Lists what is new, and wanted, in a window of the recording. */
  add(
    { window, entries, samples }: FoundWindow,
    isWanted: (entry: RecordedEntry) => boolean,
  ): void {
    for (const { tracks } of samples) {
      this.#rates.take(tracks.map(({ facts }) => facts))
      for (const { rendition, facts, initBytes } of tracks) {
        this.#inits.set(`${rendition}/${facts.init.id}`, initBytes)
      }
    }
    this.#windows.push({ from: this.#entries.length, window })
    for (const recorded of entries) {
      const entry = isWanted(recorded) ? placeEntry(this.last, recorded, this.#placedBy) : undefined
      if (entry !== undefined) this.#append(entry)
    }
  }

  /** Lists a segment as the live timeline has published it. */
  addLive(
    live: Segment,
    initOf: (rendition: RenditionName, id: string) => Buffer | undefined,
  ): void {
    const entry = placeEntry(this.last, entryOf(live), 'dates')
    if (entry === undefined) return
    const discontinuity =
      this.last?.live === undefined ? entry.discontinuity : live.discontinuity !== undefined
    this.#rates.take(Object.values(live.tracks))
    for (const { init } of Object.values(live.tracks)) {
      const bytes = initOf(init.rendition, init.id)
      if (bytes !== undefined) this.#inits.set(`${init.rendition}/${init.id}`, bytes)
    }
    this.#append({ ...entry, discontinuity, live })
  }

  /** The entry that a name is of, and its place in the list. */
  find(name: ArchiveName): { readonly entry: ArchiveEntry; readonly at: number } | undefined {
    // What was published is looked for by number alone, as the recording may give it another place.
    const from = name.kind === 'published' ? 0 : this.#firstFrom(name.startMs - TOLERANCE_MS)
    for (let at = from; at < this.#entries.length; at += 1) {
      const entry = this.#entries[at]
      if (entry === undefined) return undefined
      if (name.kind === 'recorded' && entry.dateMs > name.startMs + TOLERANCE_MS) return undefined
      if (entry.number !== name.number) continue
      return name.kind === 'published' || entry.startMs === name.startMs ? { entry, at } : undefined
    }
    return undefined
  }

  /** The window that an entry was listed by; undefined where the live timeline told of it. */
  windowOf(at: number): RecordingWindow | undefined {
    if (this.#entries[at]?.live !== undefined) return undefined
    return this.#windows.findLast(({ from }) => from <= at)?.window
  }

  /** The index of the first entry of that date or a later one. */
  #firstFrom(dateMs: number): number {
    let [low, high] = [0, this.#entries.length]
    while (low < high) {
      const middle = Math.floor((low + high) / 2)
      if ((this.#entries[middle]?.dateMs ?? dateMs) < dateMs) low = middle + 1
      else high = middle
    }
    return low
  }

  #append(entry: ArchiveEntry): void {
    this.#entries.push(entry)
    this.#tail = [...this.#tail, listedEntry(entry)]
    if (this.#tail.length === BLOCK_SEGMENTS) {
      this.#blocks = [...this.#blocks, ...packRuns(this.#tail)]
      this.#tail = []
    }
    for (const name of keysOf(entry.inits)) this.#renditions.add(name)
  }
}

function keysOf(inits: ArchiveInits): RenditionName[] {
  return RENDITIONS.filter((name) => inits[name] !== undefined)
}

function listedEntry(entry: ArchiveEntry): DvrSegment | RecordedSegment {
  const { number, dateMs, startMs, live, lengths, inits } = entry
  const discontinuity = entry.discontinuity ? (live?.discontinuity ?? 'gap') : undefined
  if (live !== undefined) return { ...liveSegment(live), discontinuity }
  const tracks = mapTracks(inits, (init, name) => ({ init, lengthMs: lengths[name] ?? 0 }))
  return { number, dateMs, startMs, durationMs: longestMs(entry), discontinuity, tracks }
}
