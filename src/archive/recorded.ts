import type { ArchiveEntry } from '../timeline/archive/entry.ts'
import { nameOf } from '../timeline/archive/name.ts'
import { clockLengthMs } from '../timeline/archive/place.ts'
import { RENDITIONS } from '../timeline/cursor.ts'
import type { InitFacts } from '../timeline/fragment.ts'
import { upstreamError } from '../upstream/errors.ts'
import type { Archive } from './archive.ts'
import type { Archives } from './archives.ts'
import { baseTicksOf } from './past-fragments.ts'
import type { RecordedFragment, RecordedTrack, TimeRange } from './recording.ts'

/**
 * What was recorded of a range, for what is made of whole fragments: the same list, and the same bytes, as
 * those who play the range get.
 * @throws GatewayError as {@link Archive.ready}
 */
export async function recordedFragments(
  archives: Archives,
  range: TimeRange,
  signal: AbortSignal,
): Promise<readonly RecordedFragment[]> {
  const archive = archives.get(range)
  await archive.ready(signal)
  return archive.entries.map((entry) => recorded(archive, entry))
}

function recorded(archive: Archive, entry: ArchiveEntry): RecordedFragment {
  const { number, startMs, discontinuity, inits } = entry
  return {
    number,
    startMs,
    durationMs: clockLengthMs(entry),
    discontinuity,
    tracks: (signal) =>
      Promise.all(
        RENDITIONS.flatMap((name) => inits[name] ?? []).map((init) =>
          trackOf(archive, entry, init, signal),
        ),
      ),
  }
}

async function trackOf(
  archive: Archive,
  entry: ArchiveEntry,
  init: InitFacts,
  signal: AbortSignal,
): Promise<RecordedTrack> {
  const body = await archive.fragment(init.rendition, nameOf(entry, init.rendition), signal)
  // What the live stream fetches again may still be arriving.
  await body.more(body.size - 1, signal)
  const { bytes } = body
  const initBytes = archive.init(init.rendition, init.id)
  if (initBytes === undefined) throw upstreamError('segment_gone')
  return { init, initBytes, bytes, baseTicks: baseTicksOf(bytes) }
}
