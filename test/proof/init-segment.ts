import { type Box, BoxError, descend, only, readBoxes } from './boxes.ts'

/** What the judge needs of an init segment. ISO/IEC 14496-12, 8.3, 8.4, 8.5 and 8.8. */
export interface InitSegment {
  readonly trackId: number
  /** Ticks per second. */
  readonly timescale: number
  /** `vide` or `soun`. */
  readonly handler: string
  /** The sample entry's type, for H.264 with profile and level: `avc1.64001f`, `hvc1`, `mp4a`. */
  readonly codec: string
  /** The duration of samples that do not say their own (trex), in ticks. */
  readonly defaultDuration: number
  readonly defaultSize: number
}

/** @throws BoxError, RangeError when a box is shorter than its fields */
export function readInitSegment(bytes: Buffer): InitSegment {
  const top = readBoxes(bytes)
  if (top[0]?.type !== 'ftyp') throw new BoxError('an init segment begins with ftyp')
  const trak = readBoxes(descend(top, 'moov', 'trak').body)
  const mdia = readBoxes(only(trak, 'mdia').body)
  const trex = descend(top, 'moov', 'mvex', 'trex').body
  const init = {
    trackId: trackId(only(trak, 'tkhd').body),
    timescale: timescale(only(mdia, 'mdhd').body),
    handler: only(mdia, 'hdlr').body.toString('latin1', 8, 12),
    codec: codecOf(descend(mdia, 'minf', 'stbl', 'stsd').body),
    defaultDuration: trex.readUInt32BE(12),
    defaultSize: trex.readUInt32BE(16),
  }
  if (init.timescale === 0) throw new BoxError('timescale 0')
  if (trex.readUInt32BE(4) !== init.trackId) throw new BoxError('trex is for another track')
  return init
}

// Version 1 of tkhd and mdhd has 64-bit times in front of the field that we want.
const trackId = (tkhd: Buffer): number => tkhd.readUInt32BE(tkhd[0] === 1 ? 20 : 12)
const timescale = (mdhd: Buffer): number => mdhd.readUInt32BE(mdhd[0] === 1 ? 20 : 12)

function codecOf(stsd: Buffer): string {
  const [entry] = readBoxes(stsd.subarray(8))
  if (entry === undefined) throw new BoxError('stsd without an entry')
  return entry.type === 'avc1' || entry.type === 'avc3' ? h264Codec(entry) : entry.type
}

/** RFC 6381, 3.3: profile, compatibility and level are bytes 1 to 3 of avcC. */
function h264Codec(entry: Box): string {
  // VisualSampleEntry: 78 bytes of fields before its boxes. ISO/IEC 14496-12, 12.1.3.
  const avcC = only(readBoxes(entry.body.subarray(78)), 'avcC').body
  return `${entry.type}.${avcC.toString('hex', 1, 4)}`
}
