/** The value that a share `p` of the values does not pass (nearest rank); NaN for none. */
export function percentile(values: readonly number[], p: number): number {
  const sorted = values.toSorted((a, b) => a - b)
  return sorted[Math.max(0, Math.ceil(p * sorted.length) - 1)] ?? Number.NaN
}

export interface Point {
  readonly x: number
  readonly y: number
}

/** Slope of the least-squares line; NaN for fewer than two different x. */
export function slope(points: readonly Point[]): number {
  const mean = (of: (point: Point) => number): number =>
    points.reduce((sum, point) => sum + of(point), 0) / points.length
  const meanX = mean(({ x }) => x)
  const meanY = mean(({ y }) => y)
  const covariance = points.reduce((sum, { x, y }) => sum + (x - meanX) * (y - meanY), 0)
  const variance = points.reduce((sum, { x }) => sum + (x - meanX) ** 2, 0)
  return variance === 0 ? Number.NaN : covariance / variance
}
