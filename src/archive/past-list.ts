import type { ArchiveName, RecordedName } from '../timeline/archive/name.ts'
import {
  type PlacedBy,
  placePublished,
  placeRecorded,
  type RecordedFacts,
} from '../timeline/archive/place.ts'
import { RENDITIONS } from '../timeline/cursor.ts'
import { type DvrSegment, liveSegment } from '../timeline/dvr/dvr-segment.ts'
import type {
  ListedSegment,
  RecordedSegment,
  RenditionName,
  Segment,
} from '../timeline/fragment.ts'
import { isPublished } from '../timeline/listed.ts'
import {
  BLOCK_SEGMENTS,
  packRuns,
  type SegmentBlock,
  segmentsOf,
} from '../timeline/segment-block.ts'
import type { SegmentList } from '../timeline/segment-list.ts'
import { TOLERANCE_MS } from '../timeline/tolerance.ts'
import type { FoundWindow } from './lister.ts'
import { Rates } from './rates.ts'
import type { RecordingWindow } from './recording-window.ts'

export interface FoundSegment {
  readonly segment: ListedSegment
  /** Its place in the list, from 0 on. */
  readonly at: number
}

/** Lists the segments of one range, in order, and where their bytes are. It grows at its end only. */
export class PastList {
  readonly #placedBy: PlacedBy
  #blocks: readonly SegmentBlock[] = []
  #tail: readonly (DvrSegment | RecordedSegment)[] = []
  #length = 0
  #last: ListedSegment | undefined
  #longestMs = 0
  /** The windows, each with the place of its first segment. */
  readonly #windows: { readonly from: number; readonly window: RecordingWindow }[] = []
  readonly #inits = new Map<string, Buffer>()
  readonly #rates = new Rates()
  readonly #renditions = new Set<RenditionName>()

  constructor(placedBy: PlacedBy) {
    this.#placedBy = placedBy
  }

  /** How many segments it has. */
  get length(): number {
    return this.#length
  }

  get last(): ListedSegment | undefined {
    return this.#last
  }

  /** The longest segment, in milliseconds; 0 without any. */
  get longestMs(): number {
    return this.#longestMs
  }

  /** Returns all of it as players see it, from MSN 0 on. */
  listed(facts: Pick<SegmentList, 'targetDuration' | 'type' | 'ended'>): SegmentList {
    return Object.freeze({
      ...facts,
      version: this.#length,
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
    { window, fragments, samples }: FoundWindow,
    isWanted: (fragment: RecordedFacts) => boolean,
  ): void {
    for (const { tracks } of samples) {
      this.#rates.take(tracks.map(({ facts }) => facts))
      for (const { rendition, facts, initBytes } of tracks) {
        this.#inits.set(`${rendition}/${facts.init.id}`, initBytes)
      }
    }
    this.#windows.push({ from: this.#length, window })
    for (const fragment of fragments) {
      if (!isWanted(fragment)) continue
      const segment = placeRecorded(this.#last, fragment, this.#placedBy)
      if (segment !== undefined) this.#append(segment)
    }
  }

  /** Lists a segment as the live timeline has published it. */
  addLive(
    live: Segment,
    initOf: (rendition: RenditionName, id: string) => Buffer | undefined,
  ): void {
    const segment = placePublished(this.#last, live)
    if (segment === undefined) return
    this.#rates.take(Object.values(live.tracks))
    for (const { init } of Object.values(live.tracks)) {
      const bytes = initOf(init.rendition, init.id)
      if (bytes !== undefined) this.#inits.set(`${init.rendition}/${init.id}`, bytes)
    }
    this.#append(liveSegment(segment))
  }

  /**
   * Finds the segment that a name is of. What was published is looked for by number alone, because the recording may
   * give it another place.
   */
  find(name: ArchiveName): FoundSegment | undefined {
    let from = 0
    for (const piece of this.#pieces()) {
      const found = findIn(piece, name)
      if (found !== undefined) return { segment: found.segment, at: from + found.at }
      from += piece.length
    }
    return undefined
  }

  /** Returns the window that a segment was listed by; undefined where the live timeline told of it. */
  windowOf({ segment, at }: FoundSegment): RecordingWindow | undefined {
    if (isPublished(segment)) return undefined
    return this.#windows.findLast(({ from }) => from <= at)?.window
  }

  /** Returns those at these places, `to` not included. */
  slice(from: number, to: number): readonly ListedSegment[] {
    const found: ListedSegment[] = []
    let at = 0
    for (const piece of this.#pieces()) {
      if (at + piece.length > from && at < to) {
        found.push(...piece.segments().slice(Math.max(0, from - at), to - at))
      }
      at += piece.length
    }
    return found
  }

  *#pieces(): Generator<Piece> {
    for (const block of this.#blocks) {
      const { first, last, numbers } = block
      yield { first, last, numbers, length: numbers.length, segments: () => segmentsOf(block) }
    }
    const tail = this.#tail
    const [first, last] = [tail[0], tail.at(-1)]
    if (first === undefined || last === undefined) return
    const numbers = tail.map(({ number }) => number)
    yield { first, last, numbers, length: tail.length, segments: () => tail }
  }

  #append(segment: DvrSegment | RecordedSegment): void {
    this.#last = segment
    this.#length += 1
    this.#longestMs = Math.max(this.#longestMs, segment.durationMs)
    for (const name of RENDITIONS) {
      if (segment.tracks[name] !== undefined) this.#renditions.add(name)
    }
    this.#tail = [...this.#tail, segment]
    if (this.#tail.length < BLOCK_SEGMENTS) return
    this.#blocks = [...this.#blocks, ...packRuns(this.#tail)]
    this.#tail = []
  }
}

/** Some consecutive segments, which are looked into one by one only if need be. */
interface Piece {
  readonly first: ListedSegment
  readonly last: ListedSegment
  readonly numbers: readonly bigint[]
  readonly length: number
  readonly segments: () => readonly ListedSegment[]
}

function findIn(
  { first, last, numbers, segments }: Piece,
  name: ArchiveName,
): FoundSegment | undefined {
  if (name.kind === 'recorded') {
    const { startMs } = name
    if (startMs < first.startMs - TOLERANCE_MS || startMs > last.startMs + TOLERANCE_MS)
      return undefined
  }
  const at = numbers.indexOf(name.number)
  const segment = at < 0 ? undefined : segments()[at]
  if (segment === undefined) return undefined
  if (name.kind === 'recorded' && !isAt(segment, name)) return undefined
  return { segment, at }
}

/** Says whether a segment has the place that a name tells. */
function isAt(segment: ListedSegment, { startMs, leadMs }: RecordedName): boolean {
  return segment.startMs === startMs && (isPublished(segment) || segment.leadMs === leadMs)
}
