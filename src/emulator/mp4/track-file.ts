import { findBox, readBoxes } from './box.ts'
import type { Sample } from './sample.ts'

/** A fragmented MP4 of one track, taken apart. */
export interface TrackFile {
  /** The `ftyp` + `moov`, byte for byte. */
  readonly init: Buffer
  readonly trackId: number
  readonly timescale: number
  /** The sample description of the codec: body of the first `stsd` entry, and its name. */
  readonly entry: { readonly type: string; readonly body: Buffer }
  /** The samples of each `moof`. */
  readonly fragments: readonly (readonly Sample[])[]
}

const HEADER_BYTES = 8
const FULL_HEADER_BYTES = 4

/** Reads files that ffmpeg or {@link writeMediaFragment} made: one track, one `trun` per `moof`. */
export function readTrackFile(bytes: Buffer): TrackFile {
  const moov = findBox(bytes, 'moov')
  const mdia = findBox(moov, 'trak', 'mdia')
  return {
    init: readInit(bytes),
    trackId: readTrackId(findBox(moov, 'trak', 'tkhd')),
    timescale: readTimescale(findBox(mdia, 'mdhd')),
    entry: readEntry(findBox(mdia, 'minf', 'stbl', 'stsd')),
    fragments: [...readFragments(bytes)],
  }
}

function readInit(bytes: Buffer): Buffer {
  let length = 0
  for (const { type, body } of readBoxes(bytes)) {
    if (type === 'moof') break
    length += HEADER_BYTES + body.length
  }
  return bytes.subarray(0, length)
}

function readTrackId(tkhd: Buffer): number {
  return tkhd.readUInt32BE(tkhd.readUInt8() === 1 ? 20 : 12)
}

function readTimescale(mdhd: Buffer): number {
  return mdhd.readUInt32BE(mdhd.readUInt8() === 1 ? 20 : 12)
}

function readEntry(stsd: Buffer): TrackFile['entry'] {
  const [entry] = readBoxes(stsd.subarray(FULL_HEADER_BYTES + 4))
  if (entry === undefined) throw new RangeError('stsd has no entry')
  return entry
}

function* readFragments(bytes: Buffer): Generator<readonly Sample[]> {
  let traf: Buffer | undefined
  for (const { type, body } of readBoxes(bytes)) {
    if (type === 'moof') traf = findBox(body, 'traf')
    if (type === 'mdat' && traf !== undefined) yield [...readSamples(traf, body)]
  }
}

interface Defaults {
  readonly duration: number
  readonly size: number
  readonly flags: number
}

/** Reads optional fields, which come in the order of their flag bits. Sections 8.8.7 and 8.8.8. */
function readTfhd(tfhd: Buffer): Defaults {
  const flags = tfhd.readUInt32BE() & 0xffffff
  let at = 8 + ((flags & 0x1) !== 0 ? 8 : 0) + ((flags & 0x2) !== 0 ? 4 : 0)
  const next = (bit: number): number => {
    if ((flags & bit) === 0) return 0
    at += 4
    return tfhd.readUInt32BE(at - 4)
  }
  return { duration: next(0x8), size: next(0x10), flags: next(0x20) }
}

function* readSamples(traf: Buffer, mdat: Buffer): Generator<Sample> {
  const defaults = readTfhd(findBox(traf, 'tfhd'))
  const trun = findBox(traf, 'trun')
  const flags = trun.readUInt32BE() & 0xffffff
  let at = 8 + ((flags & 0x1) !== 0 ? 4 : 0)
  const next = (bit: number, otherwise: number): number => {
    if ((flags & bit) === 0) return otherwise
    at += 4
    return trun.readUInt32BE(at - 4)
  }
  const first = next(0x4, -1)
  let offset = 0
  for (let i = 0; i < trun.readUInt32BE(4); i += 1) {
    const duration = next(0x100, defaults.duration)
    const size = next(0x200, defaults.size)
    const sampleFlags = next(0x400, i === 0 && first !== -1 ? first : defaults.flags)
    const compositionOffset = next(0x800, 0)
    const data = mdat.subarray(offset, offset + size)
    offset += size
    yield { data, duration, compositionOffset, sync: (sampleFlags & 0x10000) === 0 }
  }
}
