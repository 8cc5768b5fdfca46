import type { KvsObservations, MatroskaTrack, MediaLook, RenditionLook } from '../../trace/trace.ts'

/** How pictures follow each other. */
export interface Cadence {
  readonly framesPerSecond: number
  readonly keyFramesMs: number
}

const USUAL: Cadence = { framesPerSecond: 25, keyFramesMs: 0 }
/** Stands for a fragment that has no key frame but its first. */
const NONE_MS = 600_000

/** Reads it off the fragments that were looked into. */
export function cadenceOf({ session, matroska }: KvsObservations): Cadence {
  const rendition = session?.renditions.find(({ name }) => name !== 'audio')
  const [media] = rendition?.media ?? []
  const ofMedia = rendition && media && cadenceOfMedia(rendition, media)
  if (ofMedia !== undefined) return ofMedia
  const track = matroska?.[0]?.tracks.find(({ type }) => type === 'video')
  return (track && cadenceOfBlocks(track)) ?? USUAL
}

function cadenceOfMedia(
  { inits }: RenditionLook,
  { samples = 0, durationTicks = 0, syncAtMs }: MediaLook,
): Cadence | undefined {
  const timescale = inits[0]?.timescale ?? 90_000
  if (samples === 0 || durationTicks === 0) return undefined
  return {
    framesPerSecond: within((samples * timescale) / durationTicks),
    keyFramesMs: leastStep(syncAtMs ?? []),
  }
}

function cadenceOfBlocks({ blocks }: MatroskaTrack): Cadence | undefined {
  const times = blocks.map(({ atMs }) => atMs)
  const lastedMs = Math.max(...times) - Math.min(...times)
  if (blocks.length < 2 || lastedMs <= 0) return undefined
  const keys = blocks.filter(({ isKey }) => isKey).map(({ atMs }) => atMs)
  return {
    framesPerSecond: within((1000 * (blocks.length - 1)) / lastedMs),
    keyFramesMs: leastStep(keys),
  }
}

/** Returns how near key frames come to each other. */
function leastStep(times: readonly number[]): number {
  const steps = times.slice(1).map((time, i) => time - (times[i] ?? 0))
  return Math.round(Math.min(NONE_MS, ...steps.filter((step) => step > 0)))
}

function within(framesPerSecond: number): number {
  return Math.min(200, Math.max(0.1, framesPerSecond))
}
