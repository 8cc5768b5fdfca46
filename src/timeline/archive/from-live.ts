import { mapTracks } from '../cursor.ts'
import type { Segment } from '../fragment.ts'
import { ticksToMs } from '../ticks.ts'
import type { RecordedEntry } from './entry.ts'

/** A segment of the live timeline as an entry of the past. */
export function entryOf({ number, startMs, tracks }: Segment): RecordedEntry {
  return {
    number,
    dateMs: startMs,
    lengths: mapTracks(tracks, ({ durationTicks, init }) =>
      ticksToMs(durationTicks, init.timescale),
    ),
    inits: mapTracks(tracks, ({ init }) => init),
  }
}
