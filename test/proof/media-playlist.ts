import { parseAttributes, quotedAttribute } from './attribute-list.ts'
import { atLine, playlistLines } from './playlist-lines.ts'

/** A segment as a media playlist lists it. */
export interface ListedSegment {
  readonly msn: number
  /** EXT-X-DISCONTINUITY-SEQUENCE plus the discontinuities listed up to and before it. RFC 8216, 4.3.3.3. */
  readonly dsn: number
  readonly discontinuity: boolean
  readonly gap: boolean
  /** As written: decimal seconds. */
  readonly extinf: string
  readonly durationMs: number
  readonly pdtMs: number | undefined
  readonly mapUri: string | undefined
  readonly uri: string
}

export interface MediaPlaylist {
  readonly version: number
  readonly targetDurationS: number
  readonly mediaSequence: number
  readonly discontinuitySequence: number
  readonly ended: boolean
  readonly segments: readonly ListedSegment[]
}

/** What stands between two URIs. */
interface Pending {
  discontinuity: boolean
  gap: boolean
  extinf: string | undefined
  pdtMs: number | undefined
}

interface Draft {
  readonly seen: Set<string>
  version: number
  targetDurationS: number | undefined
  mediaSequence: number
  discontinuitySequence: number
  ended: boolean
  mapUri: string | undefined
  dsn: number
  pending: Pending
  readonly segments: ListedSegment[]
}

type TagReader = (draft: Draft, value: string) => void

const nothingPending = (): Pending => ({
  discontinuity: false,
  gap: false,
  extinf: undefined,
  pdtMs: undefined,
})

/** Tags about the list as a whole: once, and before the first segment. */
const HEADER_TAGS: Readonly<Record<string, TagReader>> = {
  'EXT-X-VERSION': (draft, value) => {
    draft.version = integer(value)
  },
  'EXT-X-TARGETDURATION': (draft, value) => {
    draft.targetDurationS = integer(value)
  },
  'EXT-X-MEDIA-SEQUENCE': (draft, value) => {
    draft.mediaSequence = integer(value)
  },
  'EXT-X-DISCONTINUITY-SEQUENCE': (draft, value) => {
    draft.discontinuitySequence = integer(value)
    draft.dsn = draft.discontinuitySequence
  },
  'EXT-X-INDEPENDENT-SEGMENTS': (_draft, value) => empty(value),
  'EXT-X-PLAYLIST-TYPE': (_draft, value) => {
    if (value !== 'EVENT' && value !== 'VOD') throw new SyntaxError(`playlist type ${value}`)
  },
  'EXT-X-SERVER-CONTROL': (_draft, value) => void parseAttributes(value),
  'EXT-X-START': (_draft, value) => void parseAttributes(value),
}

/** Tags about the next segment, or from it on. */
const SEGMENT_TAGS: Readonly<Record<string, TagReader>> = {
  'EXT-X-DISCONTINUITY': ({ pending }, value) => {
    empty(value)
    if (pending.discontinuity) throw new SyntaxError('EXT-X-DISCONTINUITY twice for one segment')
    pending.discontinuity = true
  },
  'EXT-X-GAP': ({ pending }, value) => {
    empty(value)
    pending.gap = true
  },
  'EXT-X-MAP': (draft, value) => {
    draft.mapUri = quotedAttribute(parseAttributes(value), 'URI')
  },
  'EXT-X-PROGRAM-DATE-TIME': ({ pending }, value) => {
    pending.pdtMs = dateTime(value)
  },
  EXTINF: ({ pending }, value) => {
    const [, seconds] = /^(\d+(?:\.\d+)?),/.exec(value) ?? []
    if (seconds === undefined) throw new SyntaxError(`EXTINF "${value}"`)
    if (pending.extinf !== undefined) throw new SyntaxError('EXTINF twice for one segment')
    pending.extinf = seconds
  },
  'EXT-X-ENDLIST': (draft, value) => {
    empty(value)
    draft.ended = true
  },
  'EXT-X-BITRATE': (_draft, value) => void integer(value),
  'EXT-X-DATERANGE': (_draft, value) => void parseAttributes(value),
}

/**
 * Reads a media playlist by RFC 8216 and its successor, and by what our contract adds: EXT-X-MAP, and
 * EXT-X-DISCONTINUITY-SEQUENCE in a live list. Unknown tags are refused: from our own renderer they
 * could only be misspelt.
 * @throws SyntaxError naming the line
 */
export function parseMediaPlaylist(text: string): MediaPlaylist {
  const draft: Draft = {
    seen: new Set(),
    version: 1,
    targetDurationS: undefined,
    mediaSequence: 0,
    discontinuitySequence: 0,
    ended: false,
    mapUri: undefined,
    dsn: 0,
    pending: nothingPending(),
    segments: [],
  }
  for (const line of playlistLines(text)) {
    atLine(line.number, () => {
      if (line.kind === 'uri') addSegment(draft, line.uri)
      else readTag(draft, line.name, line.value)
    })
  }
  return finished(draft)
}

function readTag(draft: Draft, name: string, value: string): void {
  const header = HEADER_TAGS[name]
  if (header === undefined) {
    const segmentTag = SEGMENT_TAGS[name]
    if (segmentTag === undefined) throw new SyntaxError(`unknown tag #${name}`)
    segmentTag(draft, value)
    return
  }
  if (draft.seen.has(name)) throw new SyntaxError(`#${name} twice`)
  if (draft.segments.length > 0) throw new SyntaxError(`#${name} after a segment`)
  draft.seen.add(name)
  header(draft, value)
}

function addSegment(draft: Draft, uri: string): void {
  const { pending } = draft
  if (pending.extinf === undefined) throw new SyntaxError('a URI without EXTINF')
  if (pending.discontinuity) draft.dsn += 1
  draft.segments.push({
    msn: draft.mediaSequence + draft.segments.length,
    dsn: draft.dsn,
    discontinuity: pending.discontinuity,
    gap: pending.gap,
    extinf: pending.extinf,
    durationMs: Number(pending.extinf) * 1000,
    pdtMs: pending.pdtMs,
    // A gap has no media to initialise, and after its predecessors have left the list no MAP either.
    mapUri: pending.gap ? undefined : draft.mapUri,
    uri,
  })
  draft.pending = nothingPending()
}

function finished(draft: Draft): MediaPlaylist {
  const { targetDurationS, version, segments, seen } = draft
  if (targetDurationS === undefined) throw new SyntaxError('no EXT-X-TARGETDURATION')
  if (!seen.has('EXT-X-MEDIA-SEQUENCE')) throw new SyntaxError('no EXT-X-MEDIA-SEQUENCE')
  if (draft.pending.extinf !== undefined) throw new SyntaxError('EXTINF without a URI')
  // RFC 8216, 7: EXT-X-MAP outside an I-frame playlist needs version 6.
  if (draft.mapUri !== undefined && version < 6) throw new SyntaxError(`MAP in version ${version}`)
  const unmapped = segments.find(({ mapUri, gap }) => mapUri === undefined && !gap)
  if (unmapped !== undefined) throw new SyntaxError(`segment ${unmapped.msn} has no EXT-X-MAP`)
  const { mediaSequence, discontinuitySequence, ended } = draft
  return { version, targetDurationS, mediaSequence, discontinuitySequence, ended, segments }
}

function integer(value: string): number {
  if (!/^\d{1,16}$/.test(value)) throw new SyntaxError(`"${value}" is not a decimal integer`)
  return Number(value)
}

function empty(value: string): void {
  if (value !== '') throw new SyntaxError(`unexpected value "${value}"`)
}

function dateTime(value: string): number {
  const form = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:?\d\d)$/
  const ms = Date.parse(value)
  if (!form.test(value) || Number.isNaN(ms)) throw new SyntaxError(`"${value}" is not a date-time`)
  return ms
}
