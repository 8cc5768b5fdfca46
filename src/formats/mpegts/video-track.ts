import { malformed } from '../mp4/mp4-error.ts'
import { type Sample, type Track, VIDEO_TIMESCALE } from '../mp4/track.ts'
import { lengthPrefixed, readAnnexB } from '../nal/annex-b.ts'
import { type VideoCodec, VideoUnits } from '../nal/video-units.ts'
import type { PesPacket } from './pes.ts'

/**
 * Pictures as samples, one PES packet each; what has no time of its own belongs to the one before.
 * @throws Mp4Error
 */
export function videoTrack(
  codec: VideoCodec,
  packets: readonly PesPacket[],
  loneMs: number,
): Track {
  const units = new VideoUnits(codec)
  const pictures = joined(packets).map((packet) => picture(units, packet))
  return { description: units.description(), samples: withDurations(pictures, loneMs) }
}

type Picture = Omit<Sample, 'duration'>

function picture(units: VideoUnits, { pts, dts, data }: TimedPacket): Picture {
  const { coded, key } = units.take(readAnnexB(data))
  if (coded.length === 0) throw malformed('a picture without coded data')
  return { pts, dts, key, data: lengthPrefixed(coded) }
}

interface TimedPacket {
  readonly pts: number
  readonly dts: number
  readonly data: Buffer
}

function joined(packets: readonly PesPacket[]): readonly TimedPacket[] {
  const timed: { pts: number; dts: number; parts: Buffer[] }[] = []
  for (const { pts, dts, data } of packets) {
    if (pts !== undefined) timed.push({ pts, dts: dts ?? pts, parts: [data] })
    else if (timed.length === 0) throw malformed('a picture without a time')
    else timed.at(-1)?.parts.push(data)
  }
  return timed.map(({ pts, dts, parts }) => ({ pts, dts, data: whole(parts) }))
}

function whole(parts: readonly Buffer[]): Buffer {
  const [first] = parts
  return first !== undefined && parts.length === 1 ? first : Buffer.concat(parts)
}

/** Until the next one is decoded; the last picture as long as the one before it. */
function withDurations(pictures: readonly Picture[], loneMs: number): readonly Sample[] {
  const steps = pictures.slice(1).map(({ dts }, i) => dts - (pictures[i]?.dts ?? 0))
  if (steps.some((step) => step <= 0)) throw malformed('decode times that do not grow')
  const last = steps.at(-1) ?? Math.round((loneMs * VIDEO_TIMESCALE) / 1000)
  return pictures.map((sample, i) => ({ ...sample, duration: steps[i] ?? last }))
}
