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

/** A packet's place in a segment, and what its header says of it. ISO/IEC 13818-1, 2.4.3.2. */
export interface TsPacket {
  readonly at: number
  readonly pid: number
  readonly startsUnit: boolean
}

export function tsPackets(bytes: Buffer): readonly TsPacket[] {
  return Array.from({ length: bytes.length / 188 }, (_, i) => {
    const flags = bytes.readUInt16BE(i * 188 + 1)
    return { at: i * 188, pid: flags & 0x1fff, startsUnit: (flags & 0x4000) !== 0 }
  })
}

/** A clip's first picture alone: cut where its second PES packet starts. */
export function loneKeyframe(): Buffer {
  const bytes = tsFragments('video-only')[0]?.bytes ?? Buffer.alloc(0)
  const starts = tsPackets(bytes).filter(({ pid, startsUnit }) => pid === 0x100 && startsUnit)
  return bytes.subarray(0, starts[1]?.at)
}
