export interface EpisodeRules {
  /** How long all has to be well before the episode is over. */
  readonly calmMs: number
  /** How long that may become where episodes follow each other. */
  readonly mostCalmMs: number
}

/** How long after an episode its length is forgotten. */
const FORGOTTEN_MS = 600_000

/**
 * A time in which something is wrong, which may come and go meanwhile. It is told once when it begins, and once when all has
 * been well for a while. Where the next one follows soon, that while is twice as long as before: what comes and goes for
 * hours is told ever less often.
 */
export class Episode<Kind extends string> {
  readonly #rules: EpisodeRules
  /** What was told of it; undefined while all is well. */
  #told: Set<Kind> | undefined
  #calmMs: number
  #calmSinceMs: number | undefined
  #overMs = Number.NEGATIVE_INFINITY
  #times = 0

  constructor(rules: EpisodeRules) {
    this.#rules = rules
    this.#calmMs = rules.calmMs
  }

  get isOpen(): boolean {
    return this.#told !== undefined
  }

  /** What was told of it; undefined while all is well. */
  get told(): readonly Kind[] | undefined {
    return this.#told && [...this.#told]
  }

  /** Goes on with an episode of which somebody else has told this; undefined: with none. */
  adopt(told: readonly Kind[] | undefined): void {
    if (told !== undefined && this.#told === undefined) this.#times = 1
    this.#told = told && new Set(told)
    this.#calmSinceMs = undefined
  }

  /** How often what is wrong came, in this episode or the last one. */
  get times(): number {
    return this.#times
  }

  /** When it was seen to be well again, and stayed so. */
  get wellSinceMs(): number | undefined {
    return this.#calmSinceMs
  }

  /**
   * Looks at what is wrong; undefined: all is well.
   * @returns `new` when that was not told yet, `over` when the episode is
   */
  look(wrong: Kind | undefined, nowMs: number): 'new' | 'over' | undefined {
    return wrong === undefined ? this.#well(nowMs) : this.#wrong(wrong, nowMs)
  }

  #wrong(kind: Kind, nowMs: number): 'new' | undefined {
    if (this.#told === undefined) this.#begin(nowMs)
    else if (this.#calmSinceMs !== undefined) this.#times += 1
    this.#calmSinceMs = undefined
    if (this.#told?.has(kind) === true) return undefined
    this.#told?.add(kind)
    return 'new'
  }

  #begin(nowMs: number): void {
    const { calmMs, mostCalmMs } = this.#rules
    const isSoon = nowMs - this.#overMs < FORGOTTEN_MS
    this.#calmMs = isSoon ? Math.min(mostCalmMs, 2 * this.#calmMs) : calmMs
    this.#told = new Set()
    this.#times = 1
  }

  #well(nowMs: number): 'over' | undefined {
    if (this.#told === undefined) return undefined
    this.#calmSinceMs ??= nowMs
    if (nowMs - this.#calmSinceMs < this.#calmMs) return undefined
    this.#told = undefined
    this.#overMs = nowMs
    return 'over'
  }
}
