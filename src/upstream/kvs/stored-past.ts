import type { HlsSession } from '../hls-session.ts'
import type { StoredFragment, StoredRange } from './kvs-api.ts'

/** Opens what KVS keeps of a stream's past. Its work yields to live (G9). */
export interface StoredPast {
  /** The clock that dates fragments. */
  readonly clock: StoredRange['clock']
  list(range: StoredRange, signal: AbortSignal): Promise<readonly StoredFragment[]>
  /** Opens a session of the fragments that begin within, both ends included. */
  open(
    window: { readonly startMs: number; readonly endMs: number; readonly fragmentResults: number },
    signal: AbortSignal,
  ): Promise<HlsSession>
}

/** Returns when a fragment began, by the clock that dates its stream's. */
export function dateOf(
  { producerMs, serverMs }: StoredFragment,
  clock: StoredPast['clock'],
): number {
  return clock === 'PRODUCER' ? producerMs : serverMs
}
