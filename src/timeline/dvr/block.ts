import { RENDITIONS } from '../cursor.ts'
import type {
  DiscontinuityCause,
  InitFacts,
  Segment,
  SegmentTrack,
  SourceName,
} from '../fragment.ts'
import { CAUSES } from '../saved.ts'
import { type BlockFacts, factsOf } from './block-facts.ts'
import type { DvrSegment } from './dvr-segment.ts'

const BREAKS: readonly (DiscontinuityCause | undefined)[] = [undefined, ...CAUSES]
const SOURCES: readonly SourceName[] = ['camera', 'backup', 'slate']

const SEGMENT_FIELDS = 8
const TRACK_FIELDS = 5
const STRIDE = SEGMENT_FIELDS + TRACK_FIELDS * RENDITIONS.length
/** In place of an init's index. */
const NO_TRACK = -1

/**
 * Some consecutive segments of a DVR list. Immutable, and shared by all editions that hold just these.
 *
 * Twelve hours of 2-s fragments are 21,600 segments a stream, and a segment as an object of objects takes
 * some 700 bytes. So their numbers stand in one array here, and an object is made when somebody asks.
 */
export class SegmentBlock {
  readonly facts: BlockFacts
  readonly first: DvrSegment
  readonly last: DvrSegment
  readonly #values: Float64Array
  readonly #numbers: readonly bigint[]
  /** In order of segments, then renditions; empty where there is no track. */
  readonly #ids: readonly string[]
  readonly #inits: readonly InitFacts[]

  /** @param segments in order of their places, at least one */
  constructor(segments: readonly DvrSegment[]) {
    const [first, last] = [segments[0], segments.at(-1)]
    if (first === undefined || last === undefined) throw new RangeError('a block of nothing')
    this.first = first
    this.last = last
    this.facts = factsOf(segments)
    this.#inits = Object.values(this.facts.renditions).flatMap(({ inits }) => inits)
    this.#numbers = segments.map(({ number }) => number)
    this.#ids = segments.flatMap(({ tracks }) => RENDITIONS.map((name) => tracks[name]?.id ?? ''))
    this.#values = Float64Array.from(segments.flatMap((segment) => valuesOf(segment, this.#inits)))
  }

  get length(): number {
    return this.#numbers.length
  }

  segments(): DvrSegment[] {
    return this.#numbers.map((number, i) => this.#segment(i, number))
  }

  find(msn: number): DvrSegment | undefined {
    for (let i = 0; i < this.length; i += 1) {
      const number = this.#numbers[i]
      if (this.#value(i, 0) === msn && number !== undefined) return this.#segment(i, number)
    }
    return undefined
  }

  #segment(i: number, number: bigint): DvrSegment {
    return {
      msn: this.#value(i, 0),
      dsn: this.#value(i, 1),
      anchor: this.#value(i, 2),
      startMs: this.#value(i, 3),
      durationMs: this.#value(i, 4),
      receivedMs: this.#value(i, 5),
      discontinuity: BREAKS[this.#value(i, 6)],
      source: SOURCES[this.#value(i, 7)] ?? 'camera',
      number,
      tracks: this.#tracks(i),
    }
  }

  #tracks(i: number): Segment['tracks'] {
    const [video, audio] = RENDITIONS.map((_name, rendition) => this.#track(i, rendition))
    return {
      ...(video === undefined ? {} : { video }),
      ...(audio === undefined ? {} : { audio }),
    }
  }

  #track(i: number, rendition: number): SegmentTrack | undefined {
    const at = SEGMENT_FIELDS + rendition * TRACK_FIELDS
    const init = this.#inits[this.#value(i, at)]
    if (init === undefined) return undefined
    return {
      init,
      baseTicks: this.#value(i, at + 1),
      durationTicks: this.#value(i, at + 2),
      samples: this.#value(i, at + 3),
      bytes: this.#value(i, at + 4),
      id: this.#ids[i * RENDITIONS.length + rendition] ?? '',
    }
  }

  #value(i: number, field: number): number {
    return this.#values[i * STRIDE + field] ?? Number.NaN
  }
}

function valuesOf(segment: DvrSegment, inits: readonly InitFacts[]): number[] {
  const { msn, dsn, anchor, startMs, durationMs, receivedMs, discontinuity, source } = segment
  const names = [BREAKS.indexOf(discontinuity), SOURCES.indexOf(source)]
  const numbers = [msn, dsn, anchor, startMs, durationMs, receivedMs, ...names]
  return [...numbers, ...RENDITIONS.flatMap((name) => trackValues(segment.tracks[name], inits))]
}

function trackValues(track: SegmentTrack | undefined, inits: readonly InitFacts[]): number[] {
  if (track === undefined) return [NO_TRACK, 0, 0, 0, 0]
  const { init, baseTicks, durationTicks, samples, bytes } = track
  const index = inits.findIndex(
    ({ id, rendition }) => id === init.id && rendition === init.rendition,
  )
  return [index, baseTicks, durationTicks, samples, bytes]
}
