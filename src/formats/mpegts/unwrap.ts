/** Time stamps have 33 bits: they start again after 26.5 hours. */
export const STAMP_WRAP = 2 ** 33

/** The time nearest to `near` that `stamp` may stand for, in the same ticks. */
export function unwrapped(stamp: number, near: number): number {
  return stamp + STAMP_WRAP * Math.round((near - stamp) / STAMP_WRAP)
}
