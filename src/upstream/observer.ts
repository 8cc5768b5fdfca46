/** Hears of every request that goes upstream, for the metrics. */
export interface UpstreamObserver {
  /**
   * One attempt ended.
   * @param operation as KVS names it, for example `GetHLSMediaPlaylist`
   * @param code `200`, another HTTP status, or the public code of the failure (contract, section 4): few values
   * @param bytes of body received, also when the attempt failed half way
   */
  request(operation: string, code: string, bytes: number): void
}

export const silentObserver: UpstreamObserver = { request: () => {} }
