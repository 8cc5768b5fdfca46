/** Where time stamps start again, after 26.5 hours, because they have 33 bits. */
export const STAMP_WRAP = 2 ** 33

/** Returns the time nearest to `near` that `stamp` may stand for, in the same ticks. */
export function unwrapped(stamp: number, near: number): number {
  return stamp + STAMP_WRAP * Math.round((near - stamp) / STAMP_WRAP)
}
