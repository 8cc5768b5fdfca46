import { isAdts } from './aac/adts.ts'
import { isId3 } from './aac/id3.ts'
import { readPackedAudio } from './aac/packed-audio.ts'
import { malformed } from './mp4/mp4-error.ts'
import type { Track } from './mp4/track.ts'
import { isTransportStream } from './mpegts/packet.ts'
import { readTs } from './mpegts/read-ts.ts'

/** Whether the bytes begin as such a segment does; media fragments of MP4 begin with a box. */
export function needsNoInit(bytes: Buffer): boolean {
  return isTransportStream(bytes) || isId3(bytes) || isAdts(bytes)
}

/**
 * Reads a segment that needs no init segment: MPEG-TS or packed audio. Its bytes tell which.
 * @param loneMs how long a picture lasts that is the only one in it
 * @returns one or two tracks, video first
 * @throws Mp4Error
 */
export function readSegment(bytes: Buffer, loneMs: number): readonly Track[] {
  if (isTransportStream(bytes)) return readTs(bytes, loneMs)
  if (isId3(bytes) || isAdts(bytes)) return [readPackedAudio(bytes)]
  throw malformed('a segment without an init segment that is neither MPEG-TS nor AAC')
}
