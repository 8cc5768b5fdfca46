// @ts-check

/**
 * The stretch of time that a scrub bar shows: `spanMs` up to `endMs`. Times in milliseconds since 1970,
 * places from 0 (left) to 1.
 */

const MINUTE_MS = 60_000
const HOUR_MS = 60 * MINUTE_MS

/** From a glance to a day; the bar steps through these. */
export const SPANS_MS = [10, 30, 60, 180, 360, 720, 1440].map((minutes) => minutes * MINUTE_MS)

/** @typedef {{ readonly endMs: number, readonly spanMs: number }} Scale */

/** @param {Scale} scale @param {number} place */
export function timeAt({ endMs, spanMs }, place) {
  return endMs - spanMs * (1 - Math.min(1, Math.max(0, place)))
}

/** Beyond 0…1 for what lies outside. @param {Scale} scale @param {number} ms */
export function fractionOf({ endMs, spanMs }, ms) {
  return 1 - (endMs - ms) / spanMs
}

/**
 * The bar that shows `ms`: one that ends now, or the one around it when that is further back.
 *
 * @param {number} ms
 * @param {number} now
 * @param {number} spanMs
 * @returns {Scale}
 */
export function scaleAround(ms, now, spanMs) {
  if (ms >= now - spanMs) return { endMs: now, spanMs }
  return { endMs: Math.min(now, ms + spanMs / 2), spanMs }
}

/** The span that shows the whole DVR window, if any does; an hour at least. @param {number} dvrMs */
export function firstSpan(dvrMs) {
  return SPANS_MS.find((spanMs) => spanMs >= Math.max(HOUR_MS, dvrMs)) ?? 24 * HOUR_MS
}

/** The next wider or narrower span. @param {number} spanMs @param {1 | -1} step */
export function nextSpan(spanMs, step) {
  const wider = SPANS_MS.find((candidate) => candidate > spanMs)
  const narrower = SPANS_MS.findLast((candidate) => candidate < spanMs)
  return (step === 1 ? wider : narrower) ?? spanMs
}

/** Minutes between two marks: round ones, and no more than ten on a bar. */
const STEPS_MS = [1, 2, 5, 10, 15, 30, 60, 120, 180, 360].map((minutes) => minutes * MINUTE_MS)

/**
 * Round times to mark, as the viewer's clock has them.
 *
 * @param {Scale} scale
 * @param {number} offsetMs   of the viewer's time zone, east of Greenwich
 * @returns {number[]}
 */
export function marks({ endMs, spanMs }, offsetMs) {
  const stepMs = STEPS_MS.find((step) => spanMs / step <= 8) ?? 6 * HOUR_MS
  const startMs = endMs - spanMs
  const firstMs = Math.ceil((startMs + offsetMs) / stepMs) * stepMs - offsetMs
  const count = Math.max(0, Math.floor((endMs - firstMs) / stepMs) + 1)
  return Array.from({ length: count }, (_, i) => firstMs + i * stepMs)
}
