import type { FetchedFragment } from './fetch-fragment.ts'
import type { LastTaken } from './listing.ts'

/** Where fragments go: the owner's timeline and store. */
export interface IngestSink {
  /** The newest published fragment; undefined before the first. */
  newest(): LastTaken | undefined
  /** Places, stores and lists fragments, in order. */
  publish(batch: readonly FetchedFragment[]): Promise<void>
}
