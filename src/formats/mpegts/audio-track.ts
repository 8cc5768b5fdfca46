import { readAdts } from '../aac/adts.ts'
import { type TimeMark, timedFrames } from '../aac/frame-times.ts'
import { sampleRateOf, type Track, VIDEO_TIMESCALE } from '../mp4/track.ts'
import type { PesPacket } from './pes.ts'

/** AAC frames as samples; they need not end where PES packets do. @throws Mp4Error */
export function audioTrack(packets: readonly PesPacket[]): Track {
  const stream = readAdts(Buffer.concat(packets.map(({ data }) => data)))
  const rate = sampleRateOf(stream.description)
  const marks: TimeMark[] = []
  let at = 0
  for (const { pts, data } of packets) {
    // PES times are 90 kHz ticks, whatever the codec.
    if (pts !== undefined) marks.push({ at, ticks: Math.round((pts * rate) / VIDEO_TIMESCALE) })
    at += data.length
  }
  return timedFrames(stream, marks)
}
