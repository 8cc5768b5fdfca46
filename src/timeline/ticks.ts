/** Converts media time: whole ticks of a timescale (ticks per second), and milliseconds. */

/**
 * Converts an instant to another timescale, to the nearest tick. BigInt keeps it exact, because ticks since 1970 times
 * a timescale exceed what a double holds.
 */
export function rescale(ticks: number, from: number, to: number): number {
  if (from === to) return ticks
  const [numerator, denominator] = [BigInt(ticks) * BigInt(to), BigInt(from)]
  // Rounds to nearest, halves up; BigInt division alone rounds towards zero.
  const doubled = 2n * numerator + denominator
  const floor = doubled / (2n * denominator)
  const below = doubled < 0n && doubled % (2n * denominator) !== 0n
  return Number(below ? floor - 1n : floor)
}

export function ticksToMs(ticks: number, timescale: number): number {
  return (ticks / timescale) * 1000
}

/** Converts to the nearest tick. */
export function msToTicks(ms: number, timescale: number): number {
  return Math.round((ms / 1000) * timescale)
}
