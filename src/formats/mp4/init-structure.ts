import { type Box, describe, readBoxes, readChildren, theOnly } from './boxes/box.ts'
import { isVideoEntry } from './boxes/sample-entry.ts'
import { isSoundEntry } from './boxes/sound-entry.ts'
import { readStsd } from './boxes/stsd.ts'
import { malformed, unsupported } from './mp4-error.ts'

/** How long an init segment may be: real ones have about 1 KB; with long parameter sets and metadata a few. */
const MAX_INIT_BYTES = 1024 * 1024

/** What is taken, in words. */
export const TAKEN = 'H.264, HEVC, AAC, AC-3, E-AC-3, FLAC, MP3 or Opus'

/**
 * Checks that the bytes hold a moov with one track of a codec that we know, which is continued in fragments.
 * Boxes that are of no use to us may stand around it.
 *
 * @throws Mp4Error
 */
export function checkInitStructure(bytes: Buffer): void {
  if (bytes.length > MAX_INIT_BYTES) throw malformed(`init segment of ${bytes.length} bytes`)
  const boxes = readBoxes(bytes)
  const [moov, ...others] = boxes.filter(({ type }) => type === 'moov')
  if (moov === undefined || others.length > 0 || boxes.some(({ type }) => type === 'moof')) {
    throw malformed('an init segment is an ftyp and a moov box')
  }
  checkMovie(bytes, moov)
}

function checkMovie(bytes: Buffer, moov: Box): void {
  const children = readChildren(bytes, moov)
  theOnly(children, 'mvhd', 'moov')
  const tracks = children.filter(({ type }) => type === 'trak')
  const [track] = tracks
  if (track === undefined || tracks.length > 1) {
    throw unsupported(`expected one track, got ${tracks.length}`)
  }
  if (!children.some(({ type }) => type === 'mvex')) throw unsupported('a movie without fragments')
  checkTrack(bytes, track)
}

function checkTrack(bytes: Buffer, track: Box): void {
  theOnly(readChildren(bytes, track), 'tkhd', 'trak')
  const media = readChildren(bytes, theOnly(readChildren(bytes, track), 'mdia', 'trak'))
  theOnly(media, 'mdhd', 'mdia')
  theOnly(media, 'hdlr', 'mdia')
  const info = readChildren(bytes, theOnly(media, 'minf', 'mdia'))
  const tables = readChildren(bytes, theOnly(info, 'stbl', 'minf'))
  const entry = readStsd(bytes, theOnly(tables, 'stsd', 'stbl'))
  if (!isVideoEntry(entry) && !isSoundEntry(entry)) {
    throw unsupported(`${describe(entry)}: expected ${TAKEN}`)
  }
}
