import type { ClipTrack } from './clip.ts'

/** Coded bytes of a clip's fragment in these tracks, boxes not counted. */
export function fragmentBytes(tracks: readonly ClipTrack[], index: number): number {
  return tracks
    .flatMap((track) => track.fragments[index] ?? [])
    .reduce((sum, { data }) => sum + data.length, 0)
}
