import type { FetchedFragment } from '../ingest/fetch-fragment.ts'
import type { Reservation } from '../store/memory-store.ts'
import type { NewestFragment } from '../timeline/timeline.ts'
import type { ListedFragment } from '../upstream/listed-fragment.ts'

/** Where fragments go: the owner's timeline and store. */
export interface IngestSink {
  /** The newest published fragment; undefined before the first. */
  newest(): NewestFragment | undefined
  /** Which fragments of the very first list are wanted: some of its last. */
  begin(list: readonly ListedFragment[]): readonly ListedFragment[]
  /**
   * Room in memory for what is on its way; undefined while what else is on its way takes all of it (G18).
   * @throws GatewayError `overloaded` when there can never be enough
   */
  reserve(bytes: number): Reservation | undefined
  /** Places, stores and lists fragments, in order. */
  publish(batch: readonly FetchedFragment[]): Promise<void>
  /** Upstream says that nothing more will come. It may be told often, and may prove wrong. */
  end(): Promise<void>
}
