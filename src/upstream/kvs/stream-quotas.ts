import type { Clock } from '../../base/clock.ts'
import { regionOf, type StreamIdentity } from './kvs-source.ts'
import { LocalStreamQuota, type StreamQuota } from './quota.ts'

export interface StreamQuotasOptions {
  readonly clock: Clock
  /** The share of a stream's points, as in {@link LocalStreamQuota}; default half. */
  readonly share?: number | undefined
  /** The region of streams that do not name theirs. */
  readonly region?: string | undefined
}

interface Shared {
  readonly quota: StreamQuota
  readers: number
}

/** Keeps one {@link StreamQuota} per KVS stream, for all that read it under whatever public names. */
export class StreamQuotas {
  readonly #options: StreamQuotasOptions
  readonly #quotas = new Map<string, Shared>()

  constructor(options: StreamQuotasOptions) {
    this.#options = options
  }

  /** Returns a stream's quota for one more reader; see {@link release}. */
  of(stream: StreamIdentity): StreamQuota {
    const { clock, share = 0.5 } = this.#options
    const key = this.nameOf(stream)
    const shared = this.#quotas.get(key) ?? {
      quota: new LocalStreamQuota(clock, share),
      readers: 0,
    }
    shared.readers += 1
    this.#quotas.set(key, shared)
    return shared.quota
  }

  /**
   * Notes that a reader is gone, which has asked for nothing within the last second, because that would be forgotten
   * with it.
   */
  release(stream: StreamIdentity): void {
    const shared = this.#quotas.get(this.nameOf(stream))
    if (shared === undefined) return
    shared.readers -= 1
    if (shared.readers === 0) this.#quotas.delete(this.nameOf(stream))
  }

  /** Names a KVS stream among those of all regions and accounts, however it is told. */
  nameOf(stream: StreamIdentity): string {
    const region = regionOf(stream) ?? this.#options.region ?? ''
    return [region, accountOf(stream), nameOf(stream)].join(' ')
  }
}

/** Returns the account: that of the role, or our own, because only a role opens another account's streams. */
function accountOf({ roleArn }: StreamIdentity): string {
  // arn:aws:iam::{account}:role/{name}
  return roleArn?.split(':')[4] ?? 'own'
}

/** Returns the stream's name, so that one who reads it by ARN shares with one who reads it by name. */
function nameOf({ streamName, streamArn }: StreamIdentity): string {
  // arn:aws:kinesisvideo:{region}:{account}:stream/{name}/{creation time}
  return streamName ?? streamArn.split('/')[1] ?? streamArn
}
