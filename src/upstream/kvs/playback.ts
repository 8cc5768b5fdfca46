/** What a session shows. KVS.md, sections 3.5 and 6.3. Times in milliseconds since 1970, on the selector's clock. */
export type Playback =
  /** The newest fragments. */
  | { readonly mode: 'LIVE' }
  /** All that begins within the range, both ends included, at most 24 hours of it; the oldest `fragmentResults`. */
  | {
      readonly mode: 'ON_DEMAND'
      readonly startMs: number
      readonly endMs: number
      /** MaxMediaPlaylistFragmentResults, 1 … 5,000: what a look at its playlist costs in metadata points. */
      readonly fragmentResults: number
    }
  /** From `startMs` on, one fragment more each time one has passed, as if it were live. */
  | { readonly mode: 'LIVE_REPLAY'; readonly startMs: number; readonly endMs?: number }

export const LIVE: Playback = { mode: 'LIVE' }
