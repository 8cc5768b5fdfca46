import type { Reach, StreamState } from '../streams/stream.ts'
import type { RenditionName, SourceName } from '../timeline/fragment.ts'

/** What the pages tell viewers about one stream. */
export interface WebStreamState {
  readonly state: StreamState
  /** A public code of `base/errors.ts`, or null when nothing is wrong. */
  readonly reason: string | null
  /** When the stream entered this state, in milliseconds since 1970. */
  readonly sinceMs: number
  /** Whose media are shown; null while there are none. */
  readonly source: SourceName | null
  /** When the newest fragment came in, in milliseconds since 1970; null before the first. */
  readonly lastFragmentMs: number | null
  /** The EXT-X-TARGETDURATION in seconds; null until known. */
  readonly targetDuration: number | null
  /** The renditions that the newest segments consist of; none while there are no segments. */
  readonly renditions: readonly RenditionName[]
  readonly past: Reach
}

/** All that the player and wall pages need of the gateway's streams. */
export interface WebView {
  /** The configured public names, in the order in which a wall shows them. */
  names(): readonly string[]
  /** All that are there now, those by pattern included, as they are. Looking does not count as use. */
  all(): Iterable<readonly [name: string, state: WebStreamState]>
  /** Returns a stream's state; undefined for a name that is not configured; never creates anything. */
  state(name: string): WebStreamState | undefined
  /**
   * Says that somebody looks at these streams: starts those that are idle and keeps the others running. Returns at
   * once; a start that fails shows in {@link state}.
   */
  interest(names: readonly string[], by: string): void
}
