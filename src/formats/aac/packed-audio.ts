import { sampleRateOf, type Track } from '../mp4/track.ts'
import { readAdts } from './adts.ts'
import { timedFrames } from './frame-times.ts'
import { isId3, skipId3 } from './id3.ts'

/** The ticks of the stamp a second, whatever the codec. */
const STAMP_RATE = 90_000

/**
 * Reads a segment of AAC frames without a container. RFC 8216, 3.4: an ID3 tag in front says when it
 * begins, on the clock of MPEG-TS. Without one it begins at 0.
 * @throws Mp4Error
 */
export function readPackedAudio(bytes: Buffer): Track {
  let at = 0
  let stamp: number | undefined
  while (isId3(bytes.subarray(at))) {
    const tag = skipId3(bytes.subarray(at))
    stamp ??= tag.stamp
    at += tag.length
  }
  const stream = readAdts(bytes.subarray(at))
  const ticks = Math.round(((stamp ?? 0) * sampleRateOf(stream.description)) / STAMP_RATE)
  return timedFrames(stream, [{ at: 0, ticks }])
}
