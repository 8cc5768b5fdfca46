/** A number of ticks a second, and another. */
export interface Scale {
  readonly from: number
  readonly to: number
}

/** Converts to the nearest tick, halves up. */
export function rescale(ticks: bigint, { from, to }: Scale): bigint {
  const doubled = 2n * ticks * BigInt(to) + BigInt(from)
  const divisor = 2n * BigInt(from)
  const rounded = doubled / divisor
  return doubled < 0n && doubled % divisor !== 0n ? rounded - 1n : rounded
}
