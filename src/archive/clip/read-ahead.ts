export interface ReadAheadOptions<T, R> {
  readonly fetch: (item: T, signal: AbortSignal) => Promise<R>
  /** Whether one more may be fetched while these are under way. Without any it always is. */
  readonly mayFetch: (next: T, underWay: readonly T[]) => boolean
  readonly signal: AbortSignal
}

/**
 * Fetches items and hands them on in their order, while those behind them are under way. Nothing is
 * fetched while nobody asks: a slow consumer holds the item that it has, and what was begun by then.
 */
export async function* readAhead<T, R>(
  items: Iterable<T>,
  { fetch, mayFetch, signal }: ReadAheadOptions<T, R>,
): AsyncGenerator<R> {
  const left = new AbortController()
  const either = AbortSignal.any([signal, left.signal])
  const waiting = [...items].reverse()
  const underWay: { item: T; result: Promise<R> }[] = []
  const start = (item: T): void => {
    const result = fetch(item, either)
    // Whoever stops early does not hear of what fails later.
    result.catch(() => {})
    underWay.push({ item, result })
  }
  try {
    for (;;) {
      for (let next = waiting.at(-1); next !== undefined; next = waiting.at(-1)) {
        const others = underWay.map(({ item }) => item)
        if (others.length > 0 && !mayFetch(next, others)) break
        waiting.pop()
        start(next)
      }
      const first = underWay.shift()
      if (first === undefined) return
      yield await first.result
    }
  } finally {
    left.abort()
  }
}
