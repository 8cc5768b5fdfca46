/**
 * Runs endless works side by side until `signal` aborts, or one of them fails: that ends the others. Rejects
 * with the reason once none runs any more.
 */
export async function runTogether(
  signal: AbortSignal,
  works: readonly ((signal: AbortSignal) => Promise<never>)[],
): Promise<never> {
  const end = new AbortController()
  const limited = AbortSignal.any([signal, end.signal])
  const running = works.map((work) =>
    work(limited).catch((error: unknown) => {
      end.abort(error)
      throw error
    }),
  )
  await Promise.allSettled(running)
  signal.throwIfAborted()
  throw end.signal.reason
}
