import type { OpenPast } from '../archive/recording-window.ts'
import { openKvsSession } from '../upstream/kvs/kvs-session.ts'
import type { KvsSource } from '../upstream/kvs/kvs-source.ts'
import type { StreamQuota } from '../upstream/kvs/quota.ts'
import type { StoredPast } from '../upstream/kvs/stored-past.ts'
import type { Parts } from './parts.ts'

export interface PastSource {
  /** The stream's public name. */
  readonly name: string
  readonly source: KvsSource
  readonly quota: StreamQuota
}

/** Long enough for a film; opened again when it ends, as nobody proves anything by its fragments' overlap. */
const EXPIRES_MS = 3_600_000

/** What KVS keeps of a stream, for its DVR list and its archive. Its work yields to live (G9). */
export function storedPast(past: PastSource, parts: Parts): StoredPast {
  const { name, source, quota } = past
  const observer = parts.counters.upstreamObserver(name)
  return {
    clock: source.fragmentSelectorType === 'PRODUCER_TIMESTAMP' ? 'PRODUCER' : 'SERVER',
    list: (range, signal) =>
      parts.api.listFragments(source, range, { quota, observer, signal, priority: 'archive' }),
    open: opener(past, parts),
  }
}

/** Opens sessions of the past. */
function opener({ name, source, quota }: PastSource, parts: Parts): OpenPast {
  const observer = parts.counters.upstreamObserver(name)
  const asked: KvsSource = {
    ...source,
    expiresMs: Math.min(EXPIRES_MS, source.expiresMs),
    // Where MPEG-TS brings new codec private data, nothing else tells before the fragment itself.
    discontinuityMode: 'ON_DISCONTINUITY',
  }
  return (window, signal) =>
    openKvsSession({ ...parts, quota, observer }, asked, signal, {
      playback: { mode: 'ON_DEMAND', ...window },
      priority: 'archive',
    })
}
