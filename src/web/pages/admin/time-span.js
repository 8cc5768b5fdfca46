// @ts-check

/** Each is four times a whole number of minutes, which stand below it. */
const SPANS = [4, 20, 60]
const MINUTE_MS = 60_000

/**
 * How far back is shown: an hour, or less while there is no more to show.
 *
 * @param {number | undefined} firstMs   the oldest point
 * @param {number} nowMs
 * @returns {number} minutes
 */
export function minutesShown(firstMs, nowMs) {
  const minutes = (nowMs - (firstMs ?? nowMs)) / MINUTE_MS
  return SPANS.find((span) => span >= minutes) ?? 60
}

/**
 * @param {number} minutes   as of {@link minutesShown}
 * @returns {string[]}   what stands below, at equal distances
 */
export function ticksOf(minutes) {
  const quarter = minutes / 4
  return [`${minutes} min ago`, `${3 * quarter} min`, `${2 * quarter} min`, `${quarter} min`, 'now']
}
