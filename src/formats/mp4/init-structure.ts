import {
  type Box,
  describe,
  endOf,
  payloadStart,
  readBoxes,
  readChildren,
  theOnly,
} from './boxes.ts'
import { malformed, unsupported } from './mp4-error.ts'

/** Real ones have about 1 KB; with long parameter sets and metadata a few. */
const MAX_INIT_BYTES = 1024 * 1024

const PADDING = ['free', 'skip']

/** H.264 and HEVC, with parameter sets out of band and in band, and AAC. */
const SAMPLE_ENTRIES = ['avc1', 'avc3', 'hvc1', 'hev1', 'mp4a']

/**
 * Checks that the bytes are ftyp and moov, with one track of a codec that we know, which is continued
 * in fragments.
 *
 * @throws Mp4Error
 */
export function checkInitStructure(bytes: Buffer): void {
  if (bytes.length > MAX_INIT_BYTES) throw malformed(`init segment of ${bytes.length} bytes`)
  const boxes = readBoxes(bytes).filter(({ type }) => !PADDING.includes(type))
  const types = boxes.map(({ type }) => type)
  const moov = boxes[1]
  if (types[0] !== 'ftyp' || types[1] !== 'moov' || moov === undefined || boxes.length !== 2) {
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
  checkDescriptions(bytes, theOnly(tables, 'stsd', 'stbl'))
}

/** One sample description: fragments choose among several by index, which nothing after us would follow. */
function checkDescriptions(bytes: Buffer, stsd: Box): void {
  const entriesAt = payloadStart(stsd) + 8
  if (entriesAt > endOf(stsd)) throw malformed(`${describe(stsd)} is cut off`)
  const count = bytes.readUInt32BE(entriesAt - 4)
  const entries = readBoxes(bytes, entriesAt, endOf(stsd))
  const [entry] = entries
  if (count !== 1 || entry === undefined || entries.length > 1) {
    throw unsupported(`${count} sample descriptions`)
  }
  if (!SAMPLE_ENTRIES.includes(entry.type)) {
    throw unsupported(`${describe(entry)}: expected H.264, HEVC or AAC`)
  }
}
