import { isAdts } from './aac/adts.ts'
import { isId3 } from './aac/id3.ts'
import { readPackedAudio } from './aac/packed-audio.ts'
import { malformed } from './mp4/mp4-error.ts'
import type { Track } from './mp4/track.ts'
import { isTransportStream } from './mpegts/packet.ts'
import { readTs, type TsContext, type TsTail } from './mpegts/read-ts.ts'

/** The boxes that a media fragment of MP4 may begin with. ISO/IEC 14496-12. */
const FIRST_BOXES = ['styp', 'moof', 'sidx', 'ssix', 'emsg', 'prft', 'free', 'skip', 'uuid', 'ftyp']

/**
 * Says whether the bytes begin as such a segment does. Media of MP4 may hold what looks like a few packets, so what
 * begins with a box is asked first.
 */
export function needsNoInit(bytes: Buffer): boolean {
  if (FIRST_BOXES.includes(bytes.toString('latin1', 4, 8))) return false
  return isTransportStream(bytes) || isId3(bytes) || isAdts(bytes)
}

/** Says what a segment holds that needs no init segment. */
export interface SegmentReading {
  /** The tracks: one or two, video first. */
  readonly tracks: readonly Track[]
  /** What was missing or unusable, each once, in words. */
  readonly damage: readonly string[]
  /** What is announced beside the rest and cannot be served, in words. */
  readonly leftOut?: string | undefined
  /** The renditions that are announced and can be served; absent where nothing is. */
  readonly announced?: readonly ('video' | 'audio')[]
  /** What the next segment of the source needs to go on with this one's media. */
  readonly tail?: TsTail
}

/**
 * Reads a segment that needs no init segment: MPEG-TS or packed audio. Its bytes tell which.
 * @throws Mp4Error
 */
export function readSegment(bytes: Buffer, context: TsContext): SegmentReading {
  if (isTransportStream(bytes)) return readTs(bytes, context)
  if (isId3(bytes) || isAdts(bytes)) return { tracks: [readPackedAudio(bytes)], damage: [] }
  throw malformed('a segment without an init segment that is neither MPEG-TS nor AAC')
}
