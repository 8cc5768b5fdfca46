import type { StreamMedia } from '../slate/choose.ts'
import type { SlateStart } from '../slate/slate-run.ts'
import type { RenditionName, Segment, SegmentTrack } from '../timeline/fragment.ts'
import { ticksToMs } from '../timeline/ticks.ts'

/** What a stream's segments tell of a slate that is to follow them. */
export interface Before {
  readonly media: StreamMedia
  /** How long a usual segment is, in milliseconds. */
  readonly lengthMs: number
  /** Where the newest segment ends on the stream's timeline, in milliseconds since 1970. */
  readonly endMs: number
  /** How long after that it was complete here, by our clock. */
  readonly lagMs: number
  /** Where a slate that is shown already goes on; empty for one that begins. */
  readonly start: SlateStart
}

/**
 * Reads what was published from segments, oldest first; undefined when there is none.
 * @param initBytes the init segment that a track refers to
 */
export function lookBack(
  segments: readonly Segment[],
  initBytes: (rendition: RenditionName, id: string) => Buffer | undefined,
): Before | undefined {
  const last = segments.at(-1)
  if (last === undefined) return undefined
  const model = segments.findLast(({ source }) => source !== 'slate') ?? last
  const { video, audio } = readable(model)
  const audioBytes = audio === undefined ? undefined : initBytes('audio', audio.init.id)
  return {
    media: {
      video: video?.init,
      audio:
        audio === undefined || audioBytes === undefined
          ? undefined
          : {
              init: audio.init,
              initBytes: audioBytes,
              frameTicks: audio.durationTicks / audio.samples,
            },
    },
    lengthMs: model.durationMs,
    endMs: last.startMs + last.durationMs,
    lagMs: lagOf(segments, model),
    start: last.source === 'slate' ? endsOf(last) : {},
  }
}

/**
 * Returns the tracks that can be read, because of media that only the player can read nothing is known that a slate
 * could match.
 */
function readable({ tracks }: Segment): Segment['tracks'] {
  return Object.values(tracks).some(({ opaque }) => opaque !== undefined) ? {} : tracks
}

/**
 * Measures the lag as the least of the source's, because what came in a burst was late. A slate comes a segment later
 * than a camera's.
 */
function lagOf(segments: readonly Segment[], { source }: Segment): number {
  const lags = segments
    .filter((segment) => segment.source === source)
    .map(({ startMs, durationMs, receivedMs }) => {
      return receivedMs - startMs - (source === 'slate' ? 2 : 1) * durationMs
    })
  return Math.min(...lags)
}

function endsOf({ tracks: { video, audio } }: Segment): SlateStart {
  return {
    ...(video === undefined ? {} : { video: endMs(video) }),
    ...(audio === undefined ? {} : { audio: endMs(audio) }),
  }
}

function endMs({ baseTicks, durationTicks, init }: SegmentTrack): number {
  return ticksToMs(baseTicks + durationTicks, init.timescale)
}
