import { type ClipName, type ClipTrack, loadClip } from '../../src/emulator/media/clip.ts'
import { totalDuration } from '../../src/emulator/mp4/sample.ts'
import { muxFragment } from '../../src/emulator/mpegts/mux.ts'

/** Any multiple of 10 ms will do; far from the wrap of 33 bits. */
export const TS_BASE = 900_000

export interface TsFragment {
  readonly bytes: Buffer
  readonly tracks: readonly ClipTrack[]
  readonly index: number
}

/** A clip's fragments as the emulator serves them in MPEG-TS, from `base` on in 90 kHz ticks. */
export function tsFragments(name: ClipName, base = TS_BASE): readonly TsFragment[] {
  const { video, audio } = loadClip(name)
  const tracks = [video[0], audio].filter((track) => track !== undefined)
  const [first] = tracks
  if (first === undefined) throw new Error(`${name} has no track`)
  return first.fragments.map((_, index) => {
    const parts = tracks.map((track) => ({
      track,
      samples: track.fragments[index] ?? [],
      baseTicks: base + startTicks(track, index),
    }))
    return { bytes: muxFragment(parts, new Map()).bytes, tracks, index }
  })
}

function startTicks(track: ClipTrack, index: number): number {
  const before = track.fragments.slice(0, index).reduce((sum, part) => sum + totalDuration(part), 0)
  return Math.round(((track.offsetTicks + before) * 90_000) / track.timescale)
}
