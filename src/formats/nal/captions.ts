import type { VideoCodec } from './video-units.ts'

/**
 * How a message of closed captions begins: of registered users (ITU-T T.35) in the United States, by ATSC, of kind
 * cc_data, which holds CEA-608 and CEA-708. ATSC A/72, 6.4.2. No start code can be seen in it, so nothing is escaped.
 */
const CAPTIONS = Buffer.from('\xb5\x001GA94\x03', 'latin1')

/** The nal_unit_types of messages before and behind a picture. ISO/IEC 14496-10 and 23008-2, table 7-1. */
const AVC_SEI = 6
const HEVC_SEI = [39, 40]

/** Says whether a picture's NAL units hold closed captions. */
export function hasCaptions(codec: VideoCodec, units: Iterable<Buffer>): boolean {
  for (const unit of units) if (isMessage(codec, unit) && unit.includes(CAPTIONS)) return true
  return false
}

function isMessage(codec: VideoCodec, unit: Buffer): boolean {
  const header = unit[0] ?? 0
  return codec === 'avc' ? (header & 0x1f) === AVC_SEI : HEVC_SEI.includes(header >> 1)
}
