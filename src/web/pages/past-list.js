// @ts-check

/**
 * Which playlist shows a moment of the past. All times in milliseconds since 1970.
 *
 * @typedef {object} PastList
 * @property {string} path        below `hls/{stream}/`
 * @property {number} startMs     where it begins, about
 * @property {number} endMs       where it ends; infinite: it follows the live picture
 */

const MINUTE_MS = 60_000
/** Small steps back should not need another list. */
const LEAD_MS = MINUTE_MS
/** Further back than this a list that reaches up to now would be long, and most of it is never looked at. */
const OPEN_MS = 120 * MINUTE_MS
const CLOSED_MS = 60 * MINUTE_MS

/**
 * @param {number} at
 * @param {number} now
 * @param {{ dvrMs: number, archive: boolean }} past
 * @returns {PastList | undefined} undefined: nothing reaches so far back
 */
export function listAt(at, now, { dvrMs, archive }) {
  // Its head may leave while we load it.
  const dvrStartMs = now - dvrMs
  if (dvrMs > 0 && (at >= dvrStartMs + LEAD_MS || !archive)) {
    return { path: 'dvr.m3u8', startMs: dvrStartMs, endMs: Number.POSITIVE_INFINITY }
  }
  if (!archive) return undefined
  const startMs = Math.floor((at - LEAD_MS) / 1000) * 1000
  if (now - at <= OPEN_MS) {
    return { path: `master.m3u8?start=${iso(startMs)}`, startMs, endMs: Number.POSITIVE_INFINITY }
  }
  const endMs = startMs + LEAD_MS + CLOSED_MS
  return { path: `master.m3u8?start=${iso(startMs)}&end=${iso(endMs)}`, startMs, endMs }
}

/**
 * @param {PastList} list
 * @param {number} at
 */
export function covers({ startMs, endMs }, at) {
  return at >= startMs && at < endMs
}

/**
 * Where the last `seconds` up to `endMs` can be had as a file, below the root of the pages.
 *
 * @param {string} name
 * @param {number} endMs
 * @param {number} seconds
 */
export function clipPath(name, endMs, seconds) {
  const [start, end] = [endMs - seconds * 1000, endMs].map((ms) => iso(Math.round(ms)))
  return `clip/${encodeURIComponent(name)}.mp4?start=${start}&end=${end}`
}

/** @param {number} ms */
function iso(ms) {
  return new Date(ms).toISOString()
}
