import { type StreamIdentity, streamKey } from './kvs-source.ts'

/** Shared by all streams of a gateway; far more than anybody configures. */
const MAX_ENTRIES = 4096

/**
 * DataEndpoints by stream and API name. AWS: keep it until it fails, then ask again; there are only
 * five questions a second per stream.
 */
export class EndpointCache {
  readonly #endpoints = new Map<string, URL>()

  get(stream: StreamIdentity, apiName: string): URL | undefined {
    return this.#endpoints.get(key(stream, apiName))
  }

  set(stream: StreamIdentity, apiName: string, endpoint: URL): void {
    this.#endpoints.set(key(stream, apiName), endpoint)
    if (this.#endpoints.size <= MAX_ENTRIES) return
    const [oldest] = this.#endpoints.keys()
    if (oldest !== undefined) this.#endpoints.delete(oldest)
  }

  forget(stream: StreamIdentity, apiName: string): void {
    this.#endpoints.delete(key(stream, apiName))
  }
}

function key(stream: StreamIdentity, apiName: string): string {
  return `${apiName} ${streamKey(stream)}`
}
