// @ts-check

const MINUTE = 60_000
const HOUR = 60 * MINUTE
const DAY = 24 * HOUR

/**
 * A span as a person would say it: `12 s`, `3 min`, `2 h 5 min`, `4 days`.
 *
 * @param {number} ms
 */
export function spanInWords(ms) {
  if (ms < MINUTE) return `${Math.max(0, Math.floor(ms / 1000))} s`
  if (ms < HOUR) return `${Math.floor(ms / MINUTE)} min`
  if (ms < 2 * DAY) return hoursInWords(ms)
  return `${Math.floor(ms / DAY)} days`
}

/** @param {number} ms */
function hoursInWords(ms) {
  const minutes = Math.floor((ms % HOUR) / MINUTE)
  const hours = `${Math.floor(ms / HOUR)} h`
  return minutes === 0 ? hours : `${hours} ${minutes} min`
}

/**
 * `14:03:22`, with the day in front of it when that was not today.
 *
 * @param {number} at    milliseconds since 1970
 * @param {number} now   milliseconds since 1970
 * @param {string} [timeZone]   default: the viewer's
 */
export function clockTime(at, now, timeZone) {
  const zone = timeZone === undefined ? {} : { timeZone }
  const time = new Date(at).toLocaleTimeString('en-GB', { ...zone, hour12: false })
  const day = dayOf(at, zone)
  return day === dayOf(now, zone) ? time : `${day}, ${time}`
}

/**
 * @param {number} at
 * @param {Intl.DateTimeFormatOptions} zone
 */
function dayOf(at, zone) {
  const options = /** @type {const} */ ({ weekday: 'short', day: 'numeric', month: 'short' })
  return new Date(at).toLocaleDateString('en-GB', { ...zone, ...options })
}

/**
 * @param {number} ms
 * @returns {string} `4.1 s` below ten seconds, then whole ones
 */
export function latencyInWords(ms) {
  const seconds = Math.max(0, ms) / 1000
  return seconds < 10 ? `${seconds.toFixed(1)} s` : spanInWords(ms)
}
