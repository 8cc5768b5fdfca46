import type { FetchedFragment } from '../ingest/fetch-fragment.ts'
import type { FragmentFacts, SourceName } from '../timeline/fragment.ts'

/** Returns what the timeline needs to know of a fetched fragment. */
export function factsOf(
  source: SourceName,
  { listed, timeBase, receivedMs, tracks, absent }: FetchedFragment,
): FragmentFacts {
  return {
    source,
    number: listed.number,
    timeBase,
    startMs: listed.startMs,
    estimatedMs: listed.estimatedMs,
    breaks: listed.discontinuity === 'splice',
    receivedMs,
    ...(absent === undefined ? {} : { absent }),
    tracks: Object.fromEntries(tracks.map(({ rendition, facts }) => [rendition, facts])),
  }
}
