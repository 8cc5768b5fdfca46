import { type ArchiveLimits, Archives } from '../archive/archives.ts'
import type { LiveTail } from '../archive/live-tail.ts'
import { UpstreamRecording } from '../archive/upstream-recording.ts'
import type { Shared } from './shared.ts'
import { type PastSource, storedPast } from './stored-past.ts'

/** Opens what KVS keeps of a stream's past, to be played by range. Its work yields to live (G9). */
export function openArchives(
  source: PastSource,
  limits: () => ArchiveLimits,
  shared: Shared,
): (tail: LiveTail) => Archives {
  const { clock, cache, log, archiveLists: room } = shared
  const recording = new UpstreamRecording({
    stream: source.name,
    clock,
    cache,
    past: storedPast(source, shared),
    mostResults: source.quota.archiveResults,
    reachMs: () => limits().maxMs,
  })
  const isByArrival = source.source.fragmentSelectorType === 'SERVER_TIMESTAMP'
  const placedBy = isByArrival ? 'lengths' : 'dates'
  return (tail) => new Archives({ clock, log, tail, recording, placedBy, room, limits: limits() })
}

/** Opens the past of a stream whose source keeps none: what its DVR list holds. */
export function openHeldArchives(
  limits: () => ArchiveLimits,
  { clock, log, archiveLists: room }: Pick<Shared, 'clock' | 'log' | 'archiveLists'>,
): (tail: LiveTail) => Archives {
  return (tail) =>
    new Archives({
      clock,
      log,
      tail,
      recording: undefined,
      placedBy: 'dates',
      room,
      limits: limits(),
    })
}
