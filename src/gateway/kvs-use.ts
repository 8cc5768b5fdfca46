import type { KvsSource } from '../upstream/kvs/kvs-source.ts'
import type { StreamQuota } from '../upstream/kvs/quota.ts'

/** A KVS stream, and what reading it takes. */
export interface KvsUse {
  readonly source: KvsSource
  readonly quota: StreamQuota
  /** What a GB of its media costs. */
  readonly usdPerGb: number
}
