import { mapTracks } from './cursor.ts'
import type { FragmentFacts, RenditionName, Segment, SegmentTrack, TrackFacts } from './fragment.ts'

/** A track that has a place, and is not stored yet. */
export interface PlacedTrack {
  readonly facts: TrackFacts
  /** The tfdt to write, in ticks since 1970. */
  readonly baseTicks: number
}

export type PlacedTracks = Readonly<Partial<Record<RenditionName, PlacedTrack>>>

/** The published form of a track: its name and its size. */
export interface PublishedTrack {
  /** Names the content; safe in a URI. */
  readonly id: string
  readonly bytes: number
}

export type PublishedTracks = Readonly<Partial<Record<RenditionName, PublishedTrack>>>

/**
 * Returns the tracks of a segment.
 * @throws Error when the name of one is missing
 */
export function segmentTracks(placed: PlacedTracks, published: PublishedTracks): Segment['tracks'] {
  return mapTracks(placed, ({ facts, baseTicks }, name): SegmentTrack => {
    const { init, durationTicks, samples, opaque } = facts
    const { id, bytes } = publishedTrack(published, name)
    const track = { init, baseTicks, durationTicks, samples, bytes, id }
    return opaque === undefined ? track : { ...track, opaque }
  })
}

/** What a segment says of its pictures: whether they refer to those of the one before, and carry captions. */
export function picturesOf({
  tracks,
}: Pick<FragmentFacts, 'tracks'>): Pick<Segment, 'dependent' | 'captions'> {
  const { entry, captions } = tracks.video ?? {}
  return {
    ...(entry === undefined ? {} : { dependent: true }),
    ...(captions === undefined ? {} : { captions }),
  }
}

function publishedTrack(published: PublishedTracks, name: RenditionName): PublishedTrack {
  const track = published[name]
  if (track === undefined) throw new Error(`the ${name} of this segment was not stored`)
  return track
}
