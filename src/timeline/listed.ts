/** What lists are made of, read alike whoever recorded it. */
import type { ListedSegment, RecordedTrack, Segment, SegmentTrack } from './fragment.ts'

/** Says whether the stream itself has published it, and not only upstream recorded it. */
export function isPublished(segment: ListedSegment): segment is Segment {
  return 'msn' in segment
}

/** Returns the length of a track in seconds. */
export function secondsOf(track: SegmentTrack | RecordedTrack): number {
  return 'lengthMs' in track ? track.lengthMs / 1000 : track.durationTicks / track.init.timescale
}

/** Returns where a track begins by its own clock, in milliseconds since 1970. */
export function startOf(segment: ListedSegment, track: SegmentTrack | RecordedTrack): number {
  return 'baseTicks' in track
    ? (track.baseTicks / track.init.timescale) * 1000
    : segment.startMs + track.offsetMs
}

/** Says whether any of it is passed on as it came, because what has no times of its own cannot be sought in. */
export function isUnread({ tracks }: Pick<Segment, 'tracks'>): boolean {
  return Object.values(tracks).some(({ opaque }) => opaque !== undefined)
}
