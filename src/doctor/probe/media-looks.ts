import { type InitFacts, readInit } from '../../formats/mp4/init.ts'
import { readMedia } from '../../formats/mp4/media.ts'
import { readSamples } from '../../formats/mp4/samples.ts'
import { renditionOf, type Track, timescaleOf } from '../../formats/mp4/track.ts'
import { readSegment } from '../../formats/read-segment.ts'
import type { InitLook, MediaLook } from '../../trace/trace.ts'
import { boxShapes } from './box-shapes.ts'

/** How many key frames of one fragment are told. */
const MOST_KEYS = 1000
/** How long a picture lasts that is the only one. */
const LONE_MS = 40

/** An init segment as it is told, and as its fragments are read with. */
export interface LookedInit {
  readonly look: InitLook
  readonly facts: InitFacts | undefined
}

export function lookAtInit(bytes: Buffer): LookedInit {
  const boxes = boxShapes(bytes)
  try {
    const facts = readInit(bytes)
    const { rendition, codec, timescale, trackId, video, audio } = facts
    return { look: { boxes, rendition, codec, timescale, trackId, ...video, ...audio }, facts }
  } catch (error) {
    return { look: { boxes, problem: messageOf(error) }, facts: undefined }
  }
}

/** Looks at a fragment of MP4. */
export function lookAtMedia(
  bytes: Buffer,
  init: InitFacts | undefined,
  number: string | undefined,
): MediaLook {
  const known = { ...(number === undefined ? {} : { number }), bytes: bytes.length }
  const look = { ...known, boxes: boxShapes(bytes) }
  if (init === undefined) return look
  try {
    const { baseTicks, durationTicks, samples } = readMedia(bytes, init)
    const table = readSamples(bytes, init)
    const keys = table.samples.filter(({ isSync }) => isSync).slice(0, MOST_KEYS)
    const toMs = (ticks: number): number =>
      Math.round(((ticks - baseTicks) * 1000) / init.timescale)
    const syncAtMs = keys.map(({ startTicks }) => toMs(startTicks))
    return { ...look, baseTicks, durationTicks, samples, syncAtMs }
  } catch (error) {
    return { ...look, problem: messageOf(error) }
  }
}

/** Looks at a segment that needs no init segment: MPEG-TS, or packed audio. */
export function lookAtSegment(
  bytes: Buffer,
  number: string | undefined,
): { readonly inits: readonly InitLook[]; readonly media: MediaLook } {
  const known = { ...(number === undefined ? {} : { number }), bytes: bytes.length, boxes: [] }
  try {
    const { tracks } = readSegment(bytes, { loneMs: LONE_MS })
    const [main] = tracks
    const inits = tracks.map(
      ({ description }): InitLook => ({
        boxes: [],
        rendition: renditionOf(description),
        codec: { avc: 'avc1', hevc: 'hvc1', aac: 'mp4a' }[description.codec],
        timescale: timescaleOf(description),
      }),
    )
    return { inits, media: { ...known, ...(main === undefined ? {} : samplesOf(main)) } }
  } catch (error) {
    return { inits: [], media: { ...known, problem: messageOf(error) } }
  }
}

function samplesOf({ description, samples }: Track): Partial<MediaLook> {
  const [first] = samples
  const last = samples.at(-1)
  if (first === undefined || last === undefined) return {}
  const timescale = timescaleOf(description)
  return {
    baseTicks: first.dts,
    durationTicks: last.dts + last.duration - first.dts,
    samples: samples.length,
    syncAtMs: samples
      .filter(({ key }) => key)
      .slice(0, MOST_KEYS)
      .map(({ dts }) => Math.round(((dts - first.dts) * 1000) / timescale)),
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
