import { LRUCache } from 'lru-cache'
import { type StreamIdentity, streamKey } from './kvs-source.ts'

/** The calls that a DataEndpoint is asked for, as GetDataEndpoint names them. */
export type ApiName = 'GET_HLS_STREAMING_SESSION_URL' | 'LIST_FRAGMENTS'

/** How many endpoints all streams of a gateway share: far more than anybody configures. */
const MAX_ENTRIES = 4096

/**
 * Keeps DataEndpoints by stream and API name, until one fails, as AWS wants it, because there are only five questions a
 * second per stream.
 */
export class EndpointCache {
  readonly #endpoints = new LRUCache<string, URL>({ max: MAX_ENTRIES })

  get(stream: StreamIdentity, apiName: ApiName): URL | undefined {
    return this.#endpoints.get(key(stream, apiName))
  }

  set(stream: StreamIdentity, apiName: ApiName, endpoint: URL): void {
    this.#endpoints.set(key(stream, apiName), endpoint)
  }

  forget(stream: StreamIdentity, apiName: ApiName): void {
    this.#endpoints.delete(key(stream, apiName))
  }
}

function key(stream: StreamIdentity, apiName: ApiName): string {
  return `${apiName} ${streamKey(stream)}`
}
