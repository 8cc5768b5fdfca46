/** How much of all places is kept for those who have few. */
const FOR_FEW = 1 / 5
/** How much of all places is few; one place is not. */
const FEW = 1 / 8

/**
 * Says whether somebody who holds `own` of `held` places may have one more. The last fifth is for those who have few, so
 * that one client who takes all that it can get leaves room for others.
 */
export function mayHaveOneMore({
  own,
  held,
  most,
}: Readonly<Record<'own' | 'held' | 'most', number>>): boolean {
  if (held >= most) return false
  return held < most - Math.floor(most * FOR_FEW) || own < Math.max(1, most * FEW)
}

export interface FairPlacesOptions {
  /** How many places there are. */
  readonly most: number
  /** How many may wait for one, of one client and of all. */
  readonly mostWaiting: Readonly<Record<'own' | 'all', number>>
  /** What is thrown when too many wait already. */
  readonly full: () => Error
}

interface Waiting {
  readonly by: string
  readonly grant: () => void
}

/** Gives so many places at a time to who waits for one: who has fewest goes first, then who came first. */
export class FairPlaces {
  readonly #options: FairPlacesOptions
  /** Who holds a place, each once for each. */
  readonly #holders: string[] = []
  #waiting: readonly Waiting[] = []

  constructor(options: FairPlacesOptions) {
    this.#options = options
  }

  /**
   * Works once there is a place, and holds that meanwhile.
   * @throws what `work` throws; the signal's reason when that aborts before
   */
  async hold<T>(by: string, signal: AbortSignal, work: () => Promise<T>): Promise<T> {
    await this.#take(by, signal)
    try {
      return await work()
    } finally {
      this.#holders.splice(this.#holders.indexOf(by), 1)
      this.#grantNext()
    }
  }

  async #take(by: string, signal: AbortSignal): Promise<void> {
    signal.throwIfAborted()
    if (this.#mayHave(by)) {
      this.#holders.push(by)
      return
    }
    const own = this.#waiting.filter((each) => each.by === by).length
    const { mostWaiting, full } = this.#options
    if (own >= mostWaiting.own || this.#waiting.length >= mostWaiting.all) throw full()
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    const waiting = { by, grant: resolve }
    const leave = (): void => {
      this.#waiting = this.#waiting.filter((each) => each !== waiting)
      reject(signal.reason as Error)
    }
    signal.addEventListener('abort', leave, { once: true })
    this.#waiting = [...this.#waiting, waiting]
    try {
      await promise
    } finally {
      signal.removeEventListener('abort', leave)
    }
  }

  #grantNext(): void {
    const [next] = this.#waiting
      .filter(({ by }) => this.#mayHave(by))
      .toSorted((a, b) => this.#ownOf(a.by) - this.#ownOf(b.by))
    if (next === undefined) return
    this.#waiting = this.#waiting.filter((each) => each !== next)
    this.#holders.push(next.by)
    next.grant()
  }

  #mayHave(by: string): boolean {
    return mayHaveOneMore({
      own: this.#ownOf(by),
      held: this.#holders.length,
      most: this.#options.most,
    })
  }

  #ownOf(by: string): number {
    return this.#holders.filter((each) => each === by).length
  }
}
