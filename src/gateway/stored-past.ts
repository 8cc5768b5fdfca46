import type { OpenPast } from '../archive/recording-window.ts'
import { openKvsSession } from '../upstream/kvs/kvs-session.ts'
import type { KvsSource } from '../upstream/kvs/kvs-source.ts'
import type { StoredPast } from '../upstream/kvs/stored-past.ts'
import type { KvsUse } from './kvs-use.ts'
import type { Shared } from './shared.ts'

export interface PastSource extends KvsUse {
  /** The stream's public name. */
  readonly name: string
}

/**
 * How long a session of the past lives: enough for a film. It is opened again when it ends, because nobody proves
 * anything by its fragments' overlap.
 */
const EXPIRES_MS = 3_600_000

/** Opens what KVS keeps of a stream, for its DVR list and its archive. Its work yields to live (G9). */
export function storedPast(past: PastSource, shared: Shared): StoredPast {
  const { name, source, quota, usdPerGb } = past
  const observer = shared.counters.upstreamObserver(name, usdPerGb)
  return {
    clock: source.fragmentSelectorType === 'PRODUCER_TIMESTAMP' ? 'PRODUCER' : 'SERVER',
    list: (range, signal) =>
      shared.api.listFragments(source, range, { quota, observer, signal, priority: 'archive' }),
    open: opener(past, shared),
  }
}

/** Returns what opens sessions of the past. */
function opener({ name, source, quota, usdPerGb }: PastSource, shared: Shared): OpenPast {
  const observer = shared.counters.upstreamObserver(name, usdPerGb)
  const asked: KvsSource = {
    ...source,
    expiresMs: Math.min(EXPIRES_MS, source.expiresMs),
    // Where MPEG-TS brings new codec private data, nothing else tells before the fragment itself.
    discontinuityMode: 'ON_DISCONTINUITY',
  }
  return (window, signal) =>
    openKvsSession({ ...shared, quota, observer }, asked, signal, {
      playback: { mode: 'ON_DEMAND', ...window },
      priority: 'archive',
    })
}
