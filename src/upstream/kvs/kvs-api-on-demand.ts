import type { Random } from '../../base/backoff.ts'
import type { Clock } from '../../base/clock.ts'
import type {
  ApiCall,
  GrantedSession,
  KvsApi,
  Playback,
  StoredFragment,
  StoredRange,
} from './kvs-api.ts'
import type { KvsSource } from './kvs-source.ts'

import type { SdkOptions } from './sdk-setup.ts'

/**
 * Loads the {@link KvsApi} over the AWS SDK at the first call, because that takes a third of a second to start and 30
 * MiB that a gateway of other origins, or one that is idle, need not hold.
 */
export class KvsApiOnDemand implements KvsApi {
  readonly #load: () => Promise<KvsApi>
  #api: Promise<KvsApi> | undefined

  constructor(clock: Clock, random: Random, options: SdkOptions) {
    this.#load = async () =>
      new (await import('./sdk-kvs-api.ts')).SdkKvsApi(clock, random, options)
  }

  async openSession(source: KvsSource, playback: Playback, call: ApiCall): Promise<GrantedSession> {
    return (await this.#loaded()).openSession(source, playback, call)
  }

  async listFragments(
    source: KvsSource,
    range: StoredRange,
    call: ApiCall,
  ): Promise<readonly StoredFragment[]> {
    return (await this.#loaded()).listFragments(source, range, call)
  }

  close(): void {
    // Who waits for an SDK that cannot be loaded has been told.
    void this.#api?.then(
      (api) => api.close(),
      () => {},
    )
  }

  #loaded(): Promise<KvsApi> {
    this.#api ??= this.#load()
    return this.#api
  }
}
