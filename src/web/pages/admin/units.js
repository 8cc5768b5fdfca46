// @ts-check

/**
 * @param {number} count
 * @returns {string} `512 B`, `1.5 MiB`
 */
export function bytesInWords(count) {
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB']
  const power = Math.min(units.length - 1, Math.floor(Math.log2(Math.max(1, count)) / 10))
  return `${(count / 1024 ** power).toFixed(power === 0 ? 0 : 1)} ${units[power]}`
}

/**
 * @param {number} bitsPerSecond
 * @returns {string} `0 bit/s`, `950 kbit/s`, `2.4 Mbit/s`, `24 Mbit/s`
 */
export function rateInWords(bitsPerSecond) {
  const units = ['bit/s', 'kbit/s', 'Mbit/s', 'Gbit/s']
  const power = Math.min(
    units.length - 1,
    Math.floor(Math.log10(Math.max(1, bitsPerSecond)) / 3 + 1e-9),
  )
  const value = bitsPerSecond / 1000 ** power
  return `${value.toFixed(power > 0 && value < 9.95 ? 1 : 0)} ${units[power]}`
}

/**
 * @param {number} seconds
 * @returns {string} `2.4 s`, `45 s`, `-3.1 s`
 */
export function secondsInWords(seconds) {
  return `${seconds.toFixed(Math.abs(seconds) < 10 ? 1 : 0)} s`
}

/**
 * Of small sums the first digits that are not zero, so that the first gigabyte of a day is seen, too.
 *
 * @param {number} amount
 */
export function usdInWords(amount) {
  return `$${amount.toFixed(amount > 0 && amount < 0.095 ? 4 : 2)}`
}

/** @param {number} ratio */
export function percentInWords(ratio) {
  const percent = 100 * ratio
  return `${percent > 0 && percent < 1 ? percent.toFixed(1) : Math.round(percent)} %`
}
