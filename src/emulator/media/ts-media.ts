import type { Fragment } from '../camera/fragment.ts'
import { muxFragment, type PacketCounts, type TrackPart } from '../mpegts/mux.ts'
import type { Session } from '../session/session.ts'
import type { ClipTrack } from './clip.ts'
import { samplesOf, tracksOf } from './fragment-media.ts'
import { baseTicks } from './mp4-media.ts'

const TS_RATE = 90_000

/** Writes all tracks of a fragment as an MPEG-TS segment, as this session sees it. */
export function writeTsMedia(session: Session, fragment: Fragment): Buffer {
  const { index, pass } = fragment.content
  const tracks = tracksOf(fragment)
  const parts = tracks.map((track) => {
    const ticks = (baseTicks(session, fragment, track) * TS_RATE) / track.timescale
    return { track, samples: samplesOf(fragment, track), baseTicks: Math.round(ticks) }
  })
  return muxFragment(parts, packetsBefore(tracks, index, pass)).bytes
}

function part(track: ClipTrack, index: number): TrackPart {
  return { track, samples: track.fragments[index] ?? [], baseTicks: 0 }
}

const perFragment = new WeakMap<ClipTrack, Map<number, readonly PacketCounts[]>>()

/**
 * Counts packets, because continuity counters go on from fragment to fragment, round the loop as well. Sizes do not
 * depend on time stamps, so the packets of a whole loop need to be counted only once.
 */
function packetsBefore(tracks: readonly ClipTrack[], index: number, pass: number): PacketCounts {
  const counts = countLoop(tracks)
  const pids = new Set(counts.flatMap((count) => [...count.keys()]))
  const sum = (pid: number, upTo: number): number =>
    counts.slice(0, upTo).reduce((total, count) => total + (count.get(pid) ?? 0), 0)
  return new Map([...pids].map((pid) => [pid, sum(pid, index) + pass * sum(pid, counts.length)]))
}

function countLoop(tracks: readonly ClipTrack[]): readonly PacketCounts[] {
  const [first] = tracks
  if (first === undefined) return []
  const known = perFragment.get(first) ?? new Map<number, readonly PacketCounts[]>()
  perFragment.set(first, known)
  const counts =
    known.get(tracks.length) ??
    first.fragments.map((_, index) => {
      return muxFragment(
        tracks.map((track) => part(track, index)),
        new Map(),
      ).packets
    })
  known.set(tracks.length, counts)
  return counts
}
