import type { HlsSession } from '../hls-session.ts'
import type { StoredFragment, StoredRange } from './kvs-api.ts'

/** What KVS keeps of a stream's past. Its work yields to live (G9). */
export interface StoredPast {
  /** Whose clock dates fragments. */
  readonly clock: StoredRange['clock']
  list(range: StoredRange, signal: AbortSignal): Promise<readonly StoredFragment[]>
  /** A session of the fragments that begin within, both ends included. */
  open(
    window: { readonly startMs: number; readonly endMs: number; readonly fragmentResults: number },
    signal: AbortSignal,
  ): Promise<HlsSession>
}

/** When a fragment began, by the clock that dates its stream's. */
export function dateOf(
  { producerMs, serverMs }: StoredFragment,
  clock: StoredPast['clock'],
): number {
  return clock === 'PRODUCER' ? producerMs : serverMs
}
