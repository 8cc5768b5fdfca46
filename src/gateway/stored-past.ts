import type { StoredPast } from '../streams/past-filler.ts'
import { opener, type PastOf } from './open-archives.ts'
import type { Parts } from './parts.ts'

/** What KVS keeps of a stream, for its DVR list. Its work yields to live (G9). */
export function storedPast(
  past: Pick<PastOf, 'name' | 'source' | 'quota'>,
  parts: Parts,
): StoredPast {
  const { name, source, quota } = past
  const observer = parts.counters.upstreamObserver(name)
  return {
    clock: source.fragmentSelectorType === 'PRODUCER_TIMESTAMP' ? 'PRODUCER' : 'SERVER',
    list: (range, signal) =>
      parts.api.listFragments(source, range, { quota, observer, signal, priority: 'archive' }),
    open: opener(past, parts),
  }
}
