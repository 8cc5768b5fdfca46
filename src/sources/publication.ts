import type { FetchedFragment } from '../ingest/fetch-fragment.ts'
import type { Reservation } from '../store/memory-store.ts'
import type { LiveSource, RenditionName, Segment, SourceName } from '../timeline/fragment.ts'
import type { LiveList } from '../timeline/segment-list.ts'
import type { NewestFragment } from '../timeline/timeline.ts'
import type { ListedFragment } from '../upstream/listed-fragment.ts'

/** What becomes of the fragments of all sources: they are placed, stored and shown. */
export interface Publication {
  /** What players see now; undefined before the first publication. */
  readonly shown: LiveList | undefined
  /** What is listed, oldest first; and what was before, if nothing is. */
  readonly retained: readonly Segment[]
  /** An init segment that a retained segment refers to. */
  init(rendition: RenditionName, id: string): Buffer | undefined
  /**
   * The newest fragment that came from a source, published or not.
   * @param origin which upstream the source is: of another one it says nothing
   */
  newest(source: LiveSource, origin?: string): NewestFragment | undefined
  /** Forgets what a source delivered before, because it is followed anew and that says nothing of what comes next. */
  forget(source: SourceName): void
  /** Reserves room as {@link FragmentSink.reserve} does. */
  reserve(bytes: number): Reservation | undefined
  /**
   * Lists fragments of one source, in order.
   * @param isShown asked when it is the batch's turn: meanwhile another source may be shown
   * @param origin which upstream the source is; where that is another than before, its first fragment is a discontinuity
   * @returns those that could not be listed
   */
  publish(
    source: SourceName,
    batch: readonly FetchedFragment[],
    isShown: () => boolean,
    origin?: string,
  ): Promise<readonly { readonly number: bigint; readonly error: unknown }[]>
  /** Says that the source that sent a segment keeps it no longer, nor what is older. */
  lose(segment: Segment): Promise<void>
  /** Says that nothing more will come of the source that is shown. */
  end(): Promise<void>
}

/** Where the fragments of one source's sessions go. */
export interface FragmentSink {
  /** The newest fragment that was taken; undefined before the first. */
  newest(): NewestFragment | undefined
  /** Chooses which fragments of the very first list are wanted: some of its last. */
  begin(list: readonly ListedFragment[]): readonly ListedFragment[]
  /**
   * Reserves room in memory for what is on its way; undefined while what else is on its way takes all of it (G18).
   * @throws GatewayError `overloaded` when there can never be enough
   */
  reserve(bytes: number): Reservation | undefined
  /** Places, stores and lists fragments, in order. */
  publish(batch: readonly FetchedFragment[]): Promise<void>
  /** Says that upstream announced that nothing more will come. It may be told often, and may prove wrong. */
  end(): Promise<void>
}
