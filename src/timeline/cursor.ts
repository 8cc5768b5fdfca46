import type { FragmentFacts, RenditionName, SourceName, TrackFacts } from './fragment.ts'
import { ticksToMs } from './ticks.ts'

/** Where the timeline stands: the newest placed fragment, as far as the next one is measured by it. */
export interface Cursor {
  /** Undefined when its source is another upstream by now, so that whatever comes follows another source. */
  readonly source: SourceName | undefined
  readonly number: bigint
  /**
   * The run of upstream timestamps; undefined after a restart, because nothing is known of the bases of another
   * process.
   */
  readonly timeBase: number | undefined
  /** When it starts as upstream dated it, in milliseconds since 1970. */
  readonly startMs: number | undefined
  /** How long it is on the clock track. */
  readonly durationMs: number
  readonly tracks: Readonly<Partial<Record<RenditionName, CursorTrack>>>
}

export interface CursorTrack {
  readonly initId: string
  readonly codec: string
  readonly timescale: number
  /** tfdt on the source's base, in ticks. */
  readonly sourceBaseTicks: number
  readonly sourceEndTicks: number
  /** Where the published segment ends on the stream's own timeline, in ticks. */
  readonly outEndTicks: number
  /** How far the samples are apart, as in {@link TrackFacts}. */
  readonly steps?: NonNullable<TrackFacts['steps']>
}

export type OutputTimes = Readonly<Partial<Record<RenditionName, number>>>

/** All renditions, video first as everywhere. */
export const RENDITIONS: readonly RenditionName[] = ['video', 'audio']

/**
 * Returns the track that a fragment's date and length are about, because KVS cuts fragments at video keyframes, and the
 * audio that goes with them starts and ends up to a frame apart.
 */
export function clockTrack({ tracks }: Pick<FragmentFacts, 'tracks'>): TrackFacts {
  const track = tracks.video ?? tracks.audio
  if (track === undefined) throw new RangeError('a fragment needs at least one track')
  return track
}

/**
 * Returns the cursor after `fragment` was placed with its tracks' first samples at `times`. A track that it is without
 * by misfortune stands where it stood.
 */
export function cursorAt(
  fragment: FragmentFacts,
  times: OutputTimes,
  before: Cursor | undefined,
): Cursor {
  const { source, number, timeBase, startMs, tracks, absent = [] } = fragment
  const clock = clockTrack(fragment)
  return {
    source,
    number,
    timeBase,
    startMs,
    durationMs: ticksToMs(clock.durationTicks, clock.init.timescale),
    tracks: {
      ...Object.fromEntries(absent.flatMap((name) => kept(before, name))),
      ...mapTracks(tracks, (track, name) => ({
        initId: track.init.id,
        codec: track.init.codec,
        timescale: track.init.timescale,
        sourceBaseTicks: track.baseTicks,
        sourceEndTicks: track.baseTicks + track.durationTicks,
        outEndTicks: (times[name] ?? 0) + track.durationTicks,
        ...(track.steps === undefined ? {} : { steps: track.steps }),
      })),
    },
  }
}

function kept(cursor: Cursor | undefined, name: RenditionName): [RenditionName, CursorTrack][] {
  const track = cursor?.tracks[name]
  return track === undefined ? [] : [[name, track]]
}

/** Applies `map` to the tracks that are there. */
export function mapTracks<T, U>(
  tracks: Readonly<Partial<Record<RenditionName, T>>>,
  map: (track: T, name: RenditionName) => U,
): Partial<Record<RenditionName, U>> {
  const mapped: Partial<Record<RenditionName, U>> = {}
  for (const name of RENDITIONS) {
    const track = tracks[name]
    if (track !== undefined) mapped[name] = map(track, name)
  }
  return mapped
}
