import type { Sample } from '../mp4/sample.ts'
import type { Clip, ClipTrack, RecordedFragment } from './clip.ts'

/** Fragments as somebody's producer sent them. */
export interface Recording {
  readonly loopMs: number
  readonly framesPerSecond: number
  /** How far key frames are apart. */
  readonly keyFramesMs: number
  /** How far the producer's clock runs off in each loop. */
  readonly driftMs: number
  readonly fragments: readonly (RecordedFragment & { readonly startMs: number })[]
}

/** A piece of the loop: a fragment, or the gap behind one. */
interface Piece {
  readonly startMs: number
  readonly fragment: RecordedFragment | undefined
}

const MOST_FRAMES = 4000

/** Lays the pictures and sounds of a clip into recorded fragments; each begins with a key frame. */
export function recordedClip(clip: Clip, recording: Recording): Clip {
  const pieces = piecesOf(recording)
  const sound = clip.audio
  return {
    ...clip,
    loopMs: recording.loopMs,
    frameRate: recording.framesPerSecond,
    startsMs: pieces.map(({ startMs }) => startMs),
    video: clip.video.map((track) => ({ ...track, fragments: pictures(track, pieces, recording) })),
    audio: sound && { ...sound, fragments: sounds(sound, pieces) },
    recorded: { fragments: pieces.map(({ fragment }) => fragment), driftMs: recording.driftMs },
  }
}

function piecesOf({ fragments, loopMs }: Recording): readonly Piece[] {
  return fragments.flatMap((fragment, i): readonly Piece[] => {
    const { startMs, lengthMs } = fragment
    const nextMs = fragments[i + 1]?.startMs ?? loopMs
    const endMs = startMs + lengthMs
    const gap = endMs < nextMs ? [{ startMs: endMs, fragment: undefined }] : []
    return [{ startMs, fragment }, ...gap]
  })
}

function pictures(
  track: ClipTrack,
  pieces: readonly Piece[],
  { framesPerSecond, keyFramesMs }: Recording,
): readonly (readonly Sample[])[] {
  const groups = track.fragments
  let next = 0
  return pieces.map(({ fragment }) => {
    if (fragment === undefined) return []
    const frames = Math.round((fragment.lengthMs * framesPerSecond) / 1000)
    const count = Math.min(MOST_FRAMES, Math.max(1, frames))
    const taken: Sample[] = []
    while (taken.length < count) {
      taken.push(...(groups[next % groups.length] ?? []))
      next += 1
    }
    return stretched(taken.slice(0, count), track.timescale, fragment.lengthMs, keyFramesMs)
  })
}

/** Lets samples last as long as the fragment, with key frames no nearer than they were. */
function stretched(
  samples: readonly Sample[],
  timescale: number,
  lengthMs: number,
  keyFramesMs: number,
): readonly Sample[] {
  const ticks = (lengthMs * timescale) / 1000
  const at = (i: number): number => Math.round((ticks * i) / samples.length)
  let keyMs = Number.NEGATIVE_INFINITY
  return samples.map((sample, i) => {
    const duration = at(i + 1) - at(i)
    const atMs = (lengthMs * i) / samples.length
    const sync = sample.sync && atMs - keyMs > 0.9 * keyFramesMs
    if (sync) keyMs = atMs
    const compositionOffset = Math.round((sample.compositionOffset * duration) / sample.duration)
    return { ...sample, duration, compositionOffset, sync }
  })
}

/** Cuts the loop of sound where pieces start. */
function sounds(track: ClipTrack, pieces: readonly Piece[]): readonly (readonly Sample[])[] {
  const loop = track.fragments.flat()
  const frameMs = (1000 * (loop[0]?.duration ?? 1024)) / track.timescale
  const from = (ms: number): number => Math.ceil(ms / frameMs)
  return pieces.map(({ startMs, fragment }) => {
    if (fragment === undefined) return []
    const first = from(startMs)
    const count = from(startMs + fragment.lengthMs) - first
    return Array.from({ length: count }, (_, i) => loop[(first + i) % loop.length]).filter(
      (sample) => sample !== undefined,
    )
  })
}
