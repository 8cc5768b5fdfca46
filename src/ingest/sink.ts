import type { ListedFragment } from '../upstream/listed-fragment.ts'
import type { FetchedFragment } from './fetch-fragment.ts'
import type { LastTaken } from './listing.ts'

/** Where fragments go: the owner's timeline and store. */
export interface IngestSink {
  /** The newest published fragment; undefined before the first. */
  newest(): LastTaken | undefined
  /** Which fragments of the very first list are wanted: some of its last. */
  begin(list: readonly ListedFragment[]): readonly ListedFragment[]
  /** Places, stores and lists fragments, in order. */
  publish(batch: readonly FetchedFragment[]): Promise<void>
  /** Upstream says that nothing more will come. It may be told often, and may prove wrong. */
  end(): Promise<void>
}
