/** HLS playlists of a range of the past. */

import { quoted } from '../formats/m3u8/attributes.ts'
import { extinf, programDateTime, tag } from '../formats/m3u8/write.ts'
import type { ArchiveEntry, ArchiveSnapshot } from '../timeline/archive/entry.ts'
import type { InitFacts, RenditionName } from '../timeline/fragment.ts'
import { archivePlaylistUri, archiveSegmentUri } from './archive-uris.ts'
import { renderVariants } from './hls.ts'
import { initUri } from './uris.ts'

/** What stands before the first entry. It never changes while the list grows. */
export function renderArchiveHead({ targetDuration, type }: ArchiveSnapshot): string {
  return lines([
    '#EXTM3U',
    tag('EXT-X-VERSION', 7),
    tag('EXT-X-TARGETDURATION', targetDuration),
    tag('EXT-X-MEDIA-SEQUENCE', 0),
    tag('EXT-X-DISCONTINUITY-SEQUENCE', 0),
    tag('EXT-X-PLAYLIST-TYPE', type),
    tag('EXT-X-INDEPENDENT-SEGMENTS'),
  ])
}

/** Some entries of one rendition. @param before the init segment that holds where they begin */
export function renderArchiveEntries(
  entries: readonly ArchiveEntry[],
  rendition: RenditionName,
  before: InitFacts | undefined,
): { readonly text: string; readonly init: InitFacts | undefined } {
  let init = before
  const text = entries.map((entry) => {
    const own = entry.inits[rendition]
    const isNew = own !== undefined && own.id !== init?.id
    init = own ?? init
    return lines([
      ...(entry.discontinuity ? [tag('EXT-X-DISCONTINUITY')] : []),
      ...(isNew ? [tag('EXT-X-MAP', { URI: quoted(initUri(rendition, own.id)) })] : []),
      // A rendition that has nothing here keeps in step with the other one (G7).
      ...(own === undefined ? [tag('EXT-X-GAP')] : []),
      programDateTime(startMsOf(entry, rendition)),
      extinf(lengthMs(entry, rendition) / 1000),
      archiveSegmentUri(rendition, entry),
    ])
  })
  return { text: text.join(''), init }
}

/** What stands behind the last entry. */
export function renderArchiveTail({ ended }: ArchiveSnapshot): string {
  return ended ? lines([tag('EXT-X-ENDLIST')]) : ''
}

/** The multivariant playlist of a range: as of its first entry with each rendition, which players begin with. */
export function renderArchiveMultivariant(snapshot: ArchiveSnapshot, range: string): string {
  const { entries, rates } = snapshot
  const first = (name: RenditionName): InitFacts | undefined =>
    entries.find(({ inits }) => inits[name] !== undefined)?.inits[name]
  return renderVariants({
    video: first('video'),
    audio: first('audio'),
    measured: rates,
    uriOf: (rendition) => archivePlaylistUri(range, rendition),
  })
}

function startMsOf({ live, startMs }: ArchiveEntry, rendition: RenditionName): number {
  const track = live?.tracks[rendition]
  return track === undefined ? startMs : (track.baseTicks / track.init.timescale) * 1000
}

function lengthMs({ lengths }: ArchiveEntry, rendition: RenditionName): number {
  return lengths[rendition] ?? lengths.video ?? lengths.audio ?? 0
}

function lines(all: readonly string[]): string {
  return all.map((line) => `${line}\n`).join('')
}
