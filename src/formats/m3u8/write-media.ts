import { quoted } from './attributes.ts'
import type { ByteRange } from './byte-range.ts'
import type {
  MediaPlaylist,
  MediaPlaylistHead,
  MediaPlaylistKey,
  MediaPlaylistMap,
  MediaPlaylistSegment,
  SegmentContext,
} from './media-playlist.ts'
import { extinf, programDateTime, tag } from './write.ts'

/**
 * Writes a media playlist. A long one is written piece by piece: its head, runs of its segments, its end.
 * @throws RangeError when a value cannot stand in a playlist
 */
export function writeMedia(playlist: MediaPlaylist): string {
  return writeHead(playlist) + writeSegments(playlist.segments) + writeEnd(playlist)
}

/** Writes what stands before the first segment. */
export function writeHead(head: MediaPlaylistHead): string {
  const { version, type, canSkipUntilS, independentSegments } = head
  return lines([
    '#EXTM3U',
    ...(version === undefined ? [] : [tag('EXT-X-VERSION', version)]),
    tag('EXT-X-TARGETDURATION', head.targetDuration),
    tag('EXT-X-MEDIA-SEQUENCE', head.mediaSequence),
    // Always: without it players take 0, and the first discontinuity that leaves the list confuses them.
    tag('EXT-X-DISCONTINUITY-SEQUENCE', head.discontinuitySequence),
    ...(type === undefined ? [] : [tag('EXT-X-PLAYLIST-TYPE', type)]),
    ...(canSkipUntilS === undefined
      ? []
      : [tag('EXT-X-SERVER-CONTROL', { 'CAN-SKIP-UNTIL': canSkipUntilS })]),
    ...(independentSegments === true ? [tag('EXT-X-INDEPENDENT-SEGMENTS')] : []),
  ])
}

/** Writes EXT-X-SKIP, which makes what follows a Playlist Delta Update. RFC 8216bis, 4.4.5.2. */
export function writeSkip(skippedSegments: number): string {
  return lines([tag('EXT-X-SKIP', { 'SKIPPED-SEGMENTS': skippedSegments })])
}

/** Writes consecutive segments. @param before what holds where they begin */
export function writeSegments(
  segments: readonly MediaPlaylistSegment[],
  before: SegmentContext = { keys: [] },
): string {
  let context = before
  let text = ''
  for (const segment of segments) {
    if (segment.discontinuity) text += '#EXT-X-DISCONTINUITY\n'
    // Nobody fetches what is missing, so it does not matter what it would be read with.
    if (segment.gap) text += '#EXT-X-GAP\n'
    else {
      text += switchContext(context, segment)
      context = { map: segment.map ?? context.map, keys: segment.keys }
    }
    text += segmentLines(segment)
  }
  return text
}

/** Writes what stands after the last segment. */
export function writeEnd({ endList }: Pick<MediaPlaylist, 'endList'>): string {
  return endList ? lines([tag('EXT-X-ENDLIST')]) : ''
}

function segmentLines({
  programDateTimeMs,
  durationS,
  byteRange,
  uri,
}: MediaPlaylistSegment): string {
  const date = programDateTimeMs === undefined ? '' : `${programDateTime(programDateTimeMs)}\n`
  const range =
    byteRange === undefined ? '' : `${tag('EXT-X-BYTERANGE', byteRangeText(byteRange))}\n`
  return `${date}${extinf(durationS)}\n${range}${uriLine(uri)}\n`
}

/** Writes the tags that lead from one context to the next. A map's keys are those that hold at its tag. */
function switchContext(before: SegmentContext, { map, keys }: SegmentContext): string {
  if (map === undefined || isSameMap(map, before.map)) return switchKeys(before.keys, keys)
  return (
    switchKeys(before.keys, map.keys) +
    lines([
      tag('EXT-X-MAP', {
        URI: quoted(map.uri),
        BYTERANGE: map.byteRange === undefined ? undefined : quoted(byteRangeText(map.byteRange)),
      }),
    ]) +
    switchKeys(map.keys, keys)
  )
}

/** Says whether the map still holds: EXT-X-MAP does until the next one, across discontinuities and gaps. */
function isSameMap(map: MediaPlaylistMap, before: MediaPlaylistMap | undefined): boolean {
  return (
    map.uri === before?.uri &&
    map.byteRange?.offset === before.byteRange?.offset &&
    map.byteRange?.length === before.byteRange?.length
  )
}

/** Writes the tags after which these keys hold, and no others. RFC 8216, 4.3.2.4. */
function switchKeys(
  before: readonly MediaPlaylistKey[],
  keys: readonly MediaPlaylistKey[],
): string {
  if (before.length === 0 && keys.length === 0) return ''
  const [held, wanted] = [before.map(keyTag), keys.map(keyTag)]
  if (held.join('\n') === wanted.join('\n')) return ''
  // A key replaces only the one of its own KEYFORMAT: with one each, that is all.
  const replaces = isPlainKey(before) && isPlainKey(keys)
  const ends = before.length > 0 && !replaces
  return lines([...(ends ? [tag('EXT-X-KEY', { METHOD: 'NONE' })] : []), ...wanted])
}

/** Says whether it is one key, of the format that needs no name. */
function isPlainKey([key, ...others]: readonly MediaPlaylistKey[]): boolean {
  return key?.keyFormat === 'identity' && others.length === 0
}

function keyTag({ method, uri, iv, keyFormat, keyFormatVersions }: MediaPlaylistKey): string {
  return tag('EXT-X-KEY', {
    METHOD: method,
    URI: quoted(uri),
    IV: iv,
    KEYFORMAT: keyFormat === 'identity' ? undefined : quoted(keyFormat),
    KEYFORMATVERSIONS: keyFormatVersions === undefined ? undefined : quoted(keyFormatVersions),
  })
}

function byteRangeText({ offset, length }: ByteRange): string {
  return `${length}@${offset}`
}

/**
 * Writes a URI.
 * @throws RangeError when it would be read as a tag, or as several lines
 */
function uriLine(uri: string): string {
  if (!/^[^#\s][^\r\n]*$/.test(uri)) throw new RangeError('a URI line cannot hold this')
  return uri
}

function lines(all: readonly string[]): string {
  return all.map((line) => `${line}\n`).join('')
}
