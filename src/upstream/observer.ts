import { GatewayError } from '../base/errors.ts'
import { translate } from './errors.ts'

/** Hears of every request that goes upstream, for metrics and status. */
export interface UpstreamObserver {
  /**
   * One attempt ended.
   * @param operation as KVS names it, for example `GetHLSMediaPlaylist`
   * @param code `200`, another HTTP status, or the public code of the failure (`base/errors.ts`): few values
   * @param bytes of body received, also when the attempt failed half way
   * @param tookMs from when it was sent; waits for the quota come before
   */
  request(operation: string, code: string, bytes: number, tookMs: number): void
  /**
   * One attempt failed, and not because of the session or the caller. It may be repeated for a while before
   * whoever asked hears of it, so for now nobody else knows why nothing comes.
   */
  failed?(error: GatewayError): void
}

/** Tells of an attempt that failed. The end of a session is no failure of upstream. */
export function tellFailure(observer: UpstreamObserver, error: unknown): void {
  const known = translate(error)
  if (known instanceof GatewayError) observer.failed?.(known)
}
