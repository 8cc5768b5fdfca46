import { nameOf } from '../timeline/archive/name.ts'
import { clockLengthMs } from '../timeline/archive/place.ts'
import { RENDITIONS } from '../timeline/cursor.ts'
import type { InitFacts, ListedSegment } from '../timeline/fragment.ts'
import { segmentsOf } from '../timeline/segment-block.ts'
import { upstreamError } from '../upstream/errors.ts'
import type { Archive } from './archive.ts'
import type { Archives } from './archives.ts'
import { baseTicksOf } from './past-fragments.ts'
import type { RecordedFragment, RecordedTrack, TimeRange } from './recording.ts'

/**
 * Returns what was recorded of a range, for what is made of whole fragments: the same list, and the same bytes, as
 * those who play the range get.
 * @throws GatewayError as {@link Archive.ready}
 */
export async function recordedFragments(
  archives: Archives,
  range: TimeRange,
  signal: AbortSignal,
  by: string,
): Promise<readonly RecordedFragment[]> {
  const archive = archives.get(range, by)
  const { blocks, tail } = await archive.ready(signal)
  const segments = [...blocks.flatMap((block) => segmentsOf(block)), ...tail]
  return segments.map((segment) => recorded(archive, segment))
}

function recorded(archive: Archive, segment: ListedSegment): RecordedFragment {
  const { number, startMs, discontinuity, tracks } = segment
  return {
    number,
    startMs,
    durationMs: clockLengthMs(segment),
    discontinuity: discontinuity !== undefined,
    tracks: (signal) =>
      Promise.all(
        RENDITIONS.flatMap((name) => tracks[name] ?? []).map(({ init }) =>
          trackOf(archive, segment, init, signal),
        ),
      ),
  }
}

async function trackOf(
  archive: Archive,
  segment: ListedSegment,
  init: InitFacts,
  signal: AbortSignal,
): Promise<RecordedTrack> {
  const body = await archive.fragment(init.rendition, nameOf(segment, init.rendition), signal)
  // What the live stream fetches again may still be arriving.
  await body.more(body.size - 1, signal)
  const { bytes } = body
  const initBytes = archive.init(init.rendition, init.id)
  if (initBytes === undefined) throw upstreamError('segment_gone')
  return { init, initBytes, bytes, baseTicks: baseTicksOf(bytes) }
}
