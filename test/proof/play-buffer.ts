/** A time without media to show. */
export interface Stall {
  /** When the picture stopped, in milliseconds since 1970. */
  readonly atMs: number
  readonly lastedMs: number
}

type State =
  | { readonly kind: 'playing'; readonly emptyAtMs: number }
  /** `sinceMs`: when the picture stopped; undefined before the first one. */
  | { readonly kind: 'filling'; readonly heldMs: number; readonly sinceMs: number | undefined }

/**
 * What a player has downloaded and not yet shown, reckoned against the wall clock: media is shown one
 * millisecond in a millisecond. Like real players it does not go on with the first segment after a stall:
 * it fills up first, or it would live from hand to mouth ever after.
 */
export class PlayBuffer {
  #state: State = { kind: 'filling', heldMs: 0, sinceMs: undefined }

  /** When the media at hand will have been shown; undefined while nothing is shown. */
  get emptyAtMs(): number | undefined {
    return this.#state.kind === 'playing' ? this.#state.emptyAtMs : undefined
  }

  /** Takes a segment in, and returns the stall that it ended. `enoughMs`: how much to fill up to. */
  add(durationMs: number, nowMs: number, enoughMs: number): Stall | undefined {
    const state = this.#at(nowMs)
    if (state.kind === 'playing') {
      this.#state = { kind: 'playing', emptyAtMs: state.emptyAtMs + durationMs }
      return undefined
    }
    const heldMs = state.heldMs + durationMs
    if (heldMs < enoughMs) {
      this.#state = { ...state, heldMs }
      return undefined
    }
    this.#state = { kind: 'playing', emptyAtMs: nowMs + heldMs }
    return stallOf(state, nowMs)
  }

  /**
   * Passes over a hole in the media, which the camera left and no server can fill. Players jump it and have
   * that much less in hand; here it counts as shown, so that what remains are the server's delays.
   */
  passHole(holeMs: number, nowMs: number): void {
    const state = this.#at(nowMs)
    if (state.kind === 'filling') return
    this.#state = { kind: 'playing', emptyAtMs: state.emptyAtMs + holeMs }
  }

  /** The stall that is going on. */
  stall(nowMs: number): Stall | undefined {
    return stallOf(this.#at(nowMs), nowMs)
  }

  #at(nowMs: number): State {
    const state = this.#state
    if (state.kind === 'filling' || nowMs <= state.emptyAtMs) return state
    return { kind: 'filling', heldMs: 0, sinceMs: state.emptyAtMs }
  }
}

function stallOf(state: State, nowMs: number): Stall | undefined {
  if (state.kind === 'playing' || state.sinceMs === undefined) return undefined
  return { atMs: state.sinceMs, lastedMs: nowMs - state.sinceMs }
}
