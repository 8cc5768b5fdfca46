/** One coded frame. Times are in ticks of its track's timescale. */
export interface Sample {
  readonly data: Buffer
  readonly duration: number
  /** How much later than decoded it is shown; never negative. */
  readonly compositionOffset: number
  /** Whether decoding may start here. */
  readonly sync: boolean
}

export function totalDuration(samples: readonly Sample[]): number {
  return samples.reduce((sum, { duration }) => sum + duration, 0)
}
