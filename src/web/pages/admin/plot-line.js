// @ts-check

/**
 * What is drawn: numbers at times, in order. Null: there was none.
 *
 * @typedef {{ at: readonly number[], values: readonly (number | null)[] }} Series
 *
 * @typedef {{ fromMs: number, toMs: number, max: number }} Frame
 */

/** The size of a plot, in its own units. */
export const WIDTH = 1000
export const HEIGHT = 100

/**
 * The pieces of a series that hang together: nothing is drawn where nothing was measured.
 *
 * @param {Series} series
 * @param {number} gapMs   points that are farther apart do not hang together
 * @returns {[at: number, value: number][][]}
 */
export function piecesOf({ at, values }, gapMs) {
  /** @type {[number, number][][]} */
  const pieces = []
  let lastMs = Number.NEGATIVE_INFINITY
  for (const [i, ms] of at.entries()) {
    const value = values[i]
    if (value === undefined || value === null) continue
    // What lies between two points is null, or time in which nobody has looked.
    const follows = ms - lastMs <= gapMs && values[i - 1] !== null
    if (!follows) pieces.push([])
    pieces.at(-1)?.push([ms, value])
    lastMs = ms
  }
  return pieces
}

/**
 * @param {[at: number, value: number][][]} pieces
 * @param {Frame} frame
 * @returns {{ line: string, area: string }}   of SVG paths
 */
export function pathsOf(pieces, frame) {
  const drawn = pieces.map((piece) => piece.map((point) => placed(point, frame)))
  return {
    // A lone point is a line without a length, whose round ends make it a dot.
    line: drawn.map((points) => `M${points.join('L')}${points.length === 1 ? 'h0' : ''}`).join(''),
    area: drawn
      .map((points) => {
        const [first, last] = [points[0]?.split(' ')[0], points.at(-1)?.split(' ')[0]]
        return `M${first} ${HEIGHT}L${points.join('L')}L${last} ${HEIGHT}Z`
      })
      .join(''),
  }
}

/**
 * @param {[at: number, value: number]} point
 * @param {Frame} frame
 */
function placed([ms, value], { fromMs, toMs, max }) {
  const x = (WIDTH * (ms - fromMs)) / (toMs - fromMs)
  const y = HEIGHT * (1 - Math.min(1, Math.max(0, value / max)))
  return `${round(x)} ${round(y)}`
}

/** @param {number} value */
function round(value) {
  return Math.round(value * 10) / 10
}

/**
 * The top of a scale that all values fit below: 1, 2 or 5 times a power of ten.
 *
 * @param {readonly (number | null)[]} values
 * @param {number} least
 */
export function topOf(values, least) {
  const highest = Math.max(least, ...values.map((value) => value ?? 0))
  const power = 10 ** Math.floor(Math.log10(highest))
  const step = [1, 2, 5, 10].find((each) => highest <= each * power * (1 + 1e-9)) ?? 10
  return step * power
}

/**
 * The point nearest to a time.
 *
 * @param {readonly number[]} at   in order
 * @param {number} ms
 * @returns {number}   -1 where there is none
 */
export function nearestTo(at, ms) {
  let nearest = -1
  for (const [i, each] of at.entries()) {
    const before = at[nearest]
    if (before === undefined || Math.abs(each - ms) <= Math.abs(before - ms)) nearest = i
  }
  return nearest
}
