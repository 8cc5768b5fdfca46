import { type BlockFacts, factsOf } from './block-facts.ts'
import { RENDITIONS } from './cursor.ts'
import type { DvrSegment } from './dvr/dvr-segment.ts'
import type {
  DiscontinuityCause,
  InitFacts,
  ListedSegment,
  RecordedSegment,
  RecordedTrack,
  SegmentTrack,
  SourceName,
} from './fragment.ts'
import { isPublished } from './listed.ts'
import { CAUSES } from './saved.ts'

/** How many segments at most are rendered, compressed and let go together. */
export const BLOCK_SEGMENTS = 128

/**
 * Some consecutive segments of a list, all of one kind. Immutable, shared by all lists that hold just these, and
 * plain: another process reads it as it is.
 *
 * Twelve hours of 2-s fragments are 21,600 segments a stream, and a segment as an object of objects takes
 * some 700 bytes. So their numbers stand in one array here, and an object is made when somebody asks.
 */
export type SegmentBlock = PublishedBlock | RecordedBlock

interface Packed<S extends ListedSegment> {
  readonly facts: BlockFacts
  readonly first: S
  readonly last: S
  /** The values, row by row, as {@link PUBLISHED} or {@link RECORDED} have it. */
  readonly values: Float64Array
  readonly numbers: readonly bigint[]
  /** What the values refer to by index. */
  readonly inits: readonly InitFacts[]
}

export interface PublishedBlock extends Packed<DvrSegment> {
  readonly kind: 'published'
  /** The ids, in order of segments, then renditions; empty where there is no track. */
  readonly ids: readonly string[]
}

export interface RecordedBlock extends Packed<RecordedSegment> {
  readonly kind: 'recorded'
}

const BREAKS: readonly (DiscontinuityCause | undefined)[] = [undefined, ...CAUSES]
const SOURCES: readonly SourceName[] = ['camera', 'backup', 'slate']
/** What may be known of captions. */
const CAPTIONS = [undefined, false, true] as const

/** Says how many values a row has: of the segment, and of each track. */
interface Layout {
  readonly segment: number
  readonly track: number
}
const PUBLISHED: Layout = { segment: 9, track: 5 }
const RECORDED: Layout = { segment: 5, track: 3 }

/** Stands in place of an init's index. */
const NO_TRACK = -1

/**
 * Packs segments as they were published.
 * @param segments in list order, at least one, none of them unread
 */
export function packPublished(segments: readonly DvrSegment[]): PublishedBlock {
  const { first, last, facts, inits, numbers } = packed(segments)
  return Object.freeze({
    kind: 'published',
    facts,
    first,
    last,
    inits,
    numbers,
    ids: segments.flatMap(({ tracks }) => RENDITIONS.map((name) => tracks[name]?.id ?? '')),
    values: Float64Array.from(segments.flatMap((segment) => publishedRow(segment, inits))),
  })
}

/** Packs segments of a recording. @param segments in list order, at least one */
function packRecorded(segments: readonly RecordedSegment[]): RecordedBlock {
  const { first, last, facts, inits, numbers } = packed(segments)
  const values = Float64Array.from(segments.flatMap((segment) => recordedRow(segment, inits)))
  return Object.freeze({ kind: 'recorded', facts, first, last, inits, numbers, values })
}

/** Packs segments of both kinds: a block for each run of one kind, or several. */
export function packRuns(
  segments: readonly (DvrSegment | RecordedSegment)[],
): readonly SegmentBlock[] {
  const blocks: SegmentBlock[] = []
  for (let at = 0; at < segments.length; ) {
    const published: DvrSegment[] = []
    const recorded: RecordedSegment[] = []
    for (; at < segments.length; at += 1) {
      const segment = segments[at]
      if (segment === undefined) break
      if (isPublished(segment) ? recorded.length > 0 : published.length > 0) break
      if (isPublished(segment)) published.push(segment)
      else recorded.push(segment)
    }
    blocks.push(...inBlocks(published, packPublished), ...inBlocks(recorded, packRecorded))
  }
  return blocks
}

/** Cuts items into blocks of about the same length, by `pack`. */
function inBlocks<S, B>(segments: readonly S[], pack: (segments: readonly S[]) => B): readonly B[] {
  const count = Math.ceil(segments.length / BLOCK_SEGMENTS)
  const each = Math.ceil(segments.length / Math.max(1, count))
  return Array.from({ length: count }, (_, i) => pack(segments.slice(i * each, (i + 1) * each)))
}

/** Makes the segments of a block anew. */
export function segmentsOf(block: PublishedBlock): DvrSegment[]
export function segmentsOf(block: RecordedBlock): RecordedSegment[]
export function segmentsOf(block: SegmentBlock): ListedSegment[]
export function segmentsOf(block: SegmentBlock): ListedSegment[] {
  return block.numbers.map((number, i) =>
    block.kind === 'published' ? publishedAt(block, i, number) : recordedAt(block, i, number),
  )
}

/** Finds the segment of that MSN or inserted name; undefined when the block has none. */
export function findIn(block: PublishedBlock, msn: number): DvrSegment | undefined {
  const stride = strideOf(PUBLISHED)
  for (const [i, number] of block.numbers.entries()) {
    if (block.values[i * stride] === msn) return publishedAt(block, i, number)
  }
  return undefined
}

function packed<S extends ListedSegment>(
  segments: readonly S[],
): Pick<Packed<S>, 'facts' | 'first' | 'last' | 'inits' | 'numbers'> {
  const first = segments[0]
  const last = segments.at(-1)
  if (first === undefined || last === undefined) throw new RangeError('a block of nothing')
  const facts = factsOf(segments)
  return {
    first,
    last,
    facts,
    inits: Object.values(facts.renditions).flatMap(({ inits }) => inits),
    numbers: segments.map(({ number }) => number),
  }
}

function publishedRow(segment: DvrSegment, inits: readonly InitFacts[]): number[] {
  const { msn, dsn, anchor, startMs, durationMs, receivedMs, discontinuity, source } = segment
  const isDependent = segment.dependent === true ? 1 : 0
  const pictures = isDependent + 2 * CAPTIONS.indexOf(segment.captions)
  const names = [BREAKS.indexOf(discontinuity), SOURCES.indexOf(source), pictures]
  const numbers = [msn, dsn, anchor, startMs, durationMs, receivedMs, ...names]
  return [...numbers, ...RENDITIONS.flatMap((name) => trackRow(segment.tracks[name], inits))]
}

function trackRow(track: SegmentTrack | undefined, inits: readonly InitFacts[]): number[] {
  if (track === undefined) return [NO_TRACK, 0, 0, 0, 0]
  const { init, baseTicks, durationTicks, samples, bytes } = track
  return [indexOf(init, inits), baseTicks, durationTicks, samples, bytes]
}

function recordedRow(segment: RecordedSegment, inits: readonly InitFacts[]): number[] {
  const { dateMs, startMs, leadMs, durationMs, discontinuity, tracks } = segment
  const rows = RENDITIONS.flatMap((name) => {
    const track = tracks[name]
    if (track === undefined) return [NO_TRACK, 0, 0]
    return [indexOf(track.init, inits), track.lengthMs, track.offsetMs]
  })
  return [dateMs, startMs, leadMs, durationMs, BREAKS.indexOf(discontinuity), ...rows]
}

function indexOf({ id, rendition }: InitFacts, inits: readonly InitFacts[]): number {
  return inits.findIndex((init) => init.id === id && init.rendition === rendition)
}

function strideOf({ segment, track }: Layout): number {
  return segment + track * RENDITIONS.length
}

function publishedAt(
  { values, inits, ids }: PublishedBlock,
  i: number,
  number: bigint,
): DvrSegment {
  const value = valueAt(values, PUBLISHED, i)
  const tracks = tracksOf<SegmentTrack>(PUBLISHED, value, inits, (init, at, rendition) => ({
    init,
    baseTicks: value(at + 1),
    durationTicks: value(at + 2),
    samples: value(at + 3),
    bytes: value(at + 4),
    id: ids[i * RENDITIONS.length + rendition] ?? '',
  }))
  return {
    msn: value(0),
    dsn: value(1),
    anchor: value(2),
    startMs: value(3),
    durationMs: value(4),
    receivedMs: value(5),
    discontinuity: BREAKS[value(6)],
    source: SOURCES[value(7)] ?? 'camera',
    ...picturesOf(value(8)),
    number,
    tracks,
  }
}

function picturesOf(value: number): Pick<DvrSegment, 'dependent' | 'captions'> {
  const captions = CAPTIONS[value >> 1]
  return {
    ...((value & 1) === 1 ? { dependent: true as const } : {}),
    ...(captions === undefined ? {} : { captions }),
  }
}

function recordedAt({ values, inits }: RecordedBlock, i: number, number: bigint): RecordedSegment {
  const value = valueAt(values, RECORDED, i)
  return {
    number,
    dateMs: value(0),
    startMs: value(1),
    leadMs: value(2),
    durationMs: value(3),
    discontinuity: BREAKS[value(4)],
    tracks: tracksOf<RecordedTrack>(RECORDED, value, inits, (init, at) => ({
      init,
      lengthMs: value(at + 1),
      offsetMs: value(at + 2),
    })),
  }
}

function valueAt(values: Float64Array, layout: Layout, i: number): (field: number) => number {
  const row = i * strideOf(layout)
  return (field) => values[row + field] ?? Number.NaN
}

function tracksOf<T>(
  layout: Layout,
  value: (field: number) => number,
  inits: readonly InitFacts[],
  make: (init: InitFacts, at: number, rendition: number) => T,
): { video?: T; audio?: T } {
  const tracks: { video?: T; audio?: T } = {}
  for (const [rendition, name] of RENDITIONS.entries()) {
    const at = layout.segment + rendition * layout.track
    const init = inits[value(at)]
    if (init !== undefined) tracks[name] = make(init, at, rendition)
  }
  return tracks
}
