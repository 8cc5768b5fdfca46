import { malformed } from '../mp4/mp4-error.ts'
import type { Track } from '../mp4/track.ts'
import { audioTrack } from './audio-track.ts'
import { type PesPacket, readPesPackets } from './pes.ts'
import { readProgram } from './program.ts'
import { STAMP_WRAP, unwrapped } from './unwrap.ts'
import { videoTrack } from './video-track.ts'

/**
 * Reads one MPEG-TS segment that stands alone: with its tables, and each track from the start of a frame
 * on, as RFC 8216, 3.2 wants it. All times are on one line, though stamps may wrap within the segment.
 *
 * @param loneMs how long a picture lasts that is the only one: there is no next one to tell
 * @returns one or two tracks, video first
 * @throws Mp4Error when anything is missing, damaged, or of another codec than H.264, HEVC and AAC
 */
export function readTs(bytes: Buffer, loneMs: number): readonly Track[] {
  const streams = readProgram(bytes)
  const packets = onOneLine(readPesPackets(bytes, streams))
  const tracks = streams.flatMap(({ codec }, i) => {
    const its = packets[i] ?? []
    // Announced, but silent in this segment.
    if (its.length === 0) return []
    return [codec === 'aac' ? audioTrack(its) : videoTrack(codec, its, loneMs)]
  })
  if (tracks.length === 0) throw malformed('a segment without media')
  return tracks
}

type Streams = readonly (readonly PesPacket[])[]

/** Near the first stamp, and none below 0, which no track could begin with. */
function onOneLine(streams: Streams): Streams {
  const stamps = streams.flatMap((packets) => packets.flatMap(({ dts }) => dts ?? []))
  const near = stamps[0] ?? 0
  const isBelow = stamps.some((stamp) => unwrapped(stamp, near) < 0)
  const place = (stamp: number): number => unwrapped(stamp, near) + (isBelow ? STAMP_WRAP : 0)
  return streams.map((packets) =>
    packets.map(({ pts, dts, data }) => ({
      pts: pts === undefined ? undefined : place(pts),
      dts: dts === undefined ? undefined : place(dts),
      data,
    })),
  )
}
