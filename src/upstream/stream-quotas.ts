import type { Clock } from '../base/clock.ts'
import type { StreamIdentity } from './kvs-source.ts'
import { StreamQuota } from './quota.ts'

/**
 * One {@link StreamQuota} per KVS stream, for all that read it under whatever public names. Kept for the
 * life of the process: a quota that is forgotten would forget what was just asked. Only configured
 * streams come here, so there are few.
 */
export class StreamQuotas {
  readonly #clock: Clock
  readonly #share: number
  readonly #quotas = new Map<string, StreamQuota>()

  /** @param share see {@link StreamQuota} */
  constructor(clock: Clock, share?: number) {
    this.#clock = clock
    this.#share = share ?? 0.5
  }

  of(stream: StreamIdentity): StreamQuota {
    const name = nameOf(stream)
    const quota = this.#quotas.get(name) ?? new StreamQuota(this.#clock, this.#share)
    this.#quotas.set(name, quota)
    return quota
  }
}

/** By name, so that one who reads it by ARN shares too. Namesakes elsewhere share needlessly, at no harm. */
function nameOf({ streamName, streamArn }: StreamIdentity): string {
  // arn:aws:kinesisvideo:{region}:{account}:stream/{name}/{creation time}
  return streamName ?? streamArn.split('/')[1] ?? streamArn
}
