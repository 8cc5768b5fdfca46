import { z } from 'zod'
import type { Segment } from '../timeline/fragment.ts'
import { Timeline, type TimelineOptions } from '../timeline/timeline.ts'
import { Inits, initsOf } from './inits.ts'

const FORMAT = 1

const savedFeed = z.object({
  format: z.literal(FORMAT),
  stream: z.string(),
  timeline: z.unknown(),
  inits: z.unknown(),
})

/** What of a feed outlives the process. */
export interface FeedState {
  readonly timeline: Timeline
  readonly inits: Inits
}

/** Plain JSON for {@link restoreFeed}. */
export function saveFeed(stream: string, { timeline, inits }: FeedState): unknown {
  const saved: z.input<typeof savedFeed> = {
    format: FORMAT,
    stream,
    timeline: timeline.save(),
    inits: inits.save(initsOf(shownBy(timeline))),
  }
  return saved
}

/** @throws Error when `saved` is not what {@link saveFeed} made for this stream, or not all of it */
export function restoreFeed(saved: unknown, stream: string, options: TimelineOptions): FeedState {
  const parsed = savedFeed.parse(saved)
  // A file that was copied or renamed: its numbers may lie below those that this stream has shown.
  if (parsed.stream !== stream) throw new Error(`this is the timeline of ${parsed.stream}`)
  const timeline = Timeline.restore(parsed.timeline, options)
  const inits = Inits.restore(parsed.inits)
  if (!inits.cover(initsOf(shownBy(timeline)))) {
    throw new Error('an init segment of a listed segment is missing')
  }
  return { timeline, inits }
}

/** What players may ask for. */
function shownBy(timeline: Timeline): readonly Segment[] {
  return [...(timeline.snapshot()?.tail ?? []), ...timeline.retired()]
}
