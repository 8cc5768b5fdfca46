import type { FetchedFragment } from '../ingest/fetch-fragment.ts'
import type { SlateSegment } from '../slate/slate-run.ts'

/** All slates count their ticks from 1970, whoever made them. */
const TIME_BASE = 0

/** A slate segment as if a source had sent it. Its number says no more than that it is another one. */
export function slateFragment(
  { startMs, durationMs, tracks }: SlateSegment,
  nowMs: number,
): FetchedFragment {
  return {
    listed: { number: BigInt(Math.round(startMs)), startMs, durationS: durationMs / 1_000 },
    timeBase: TIME_BASE,
    receivedMs: nowMs,
    tracks,
  }
}
