import type { StreamQuota } from '../upstream/kvs/quota.ts'
import type { SessionKeeper } from '../upstream/session-keeper.ts'
import type { StreamTrouble } from './trouble.ts'

/** Something that a stream can be made of, with all that is its own. */
export interface StreamSource {
  readonly keeper: SessionKeeper
  readonly trouble: StreamTrouble
  /** Of KVS; null where upstream is another origin. */
  readonly quota: StreamQuota | null
}
