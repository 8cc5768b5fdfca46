// @ts-check

/**
 * @typedef {object} Grid
 * @property {number} columns
 * @property {number} rows
 * @property {number} tileWidth    CSS pixels
 * @property {number} tileHeight   CSS pixels
 * @property {boolean} scrolls     whether the rows run on below the screen
 */

const ASPECT = 16 / 9
/** Smaller screens are held in the hand: tiles stay big enough to see, and the page scrolls. */
const HAND_WIDTH = 600
const HAND_HEIGHT = 480
const SMALLEST_PAIR = 5

/**
 * The columns and rows that show `count` pictures of 16:9 largest.
 *
 * @param {number} count    at least 1
 * @param {number} width    CSS pixels
 * @param {number} height   CSS pixels
 * @param {number} gap      between tiles, CSS pixels
 * @returns {Grid}
 */
export function bestGrid(count, width, height, gap) {
  if (width < HAND_WIDTH || height < HAND_HEIGHT) return handGrid(count, width, height, gap)
  let best = gridOf(count, 1, width, height, gap)
  for (let columns = 2; columns <= count; columns += 1) {
    const grid = gridOf(count, columns, width, height, gap)
    if (grid.tileWidth > best.tileWidth) best = grid
  }
  return best
}

/**
 * @param {number} count
 * @param {number} columns
 * @param {number} width
 * @param {number} height
 * @param {number} gap
 * @returns {Grid}
 */
function gridOf(count, columns, width, height, gap) {
  const rows = Math.ceil(count / columns)
  const cellWidth = (width - gap * (columns - 1)) / columns
  const cellHeight = (height - gap * (rows - 1)) / rows
  // Whole pixels: a fraction would make the last column wrap or a scroll bar appear.
  const tileWidth = Math.max(1, Math.floor(Math.min(cellWidth, cellHeight * ASPECT)))
  const tileHeight = Math.max(1, Math.floor(Math.min(cellHeight, tileWidth / ASPECT)))
  return { columns, rows, tileWidth, tileHeight, scrolls: false }
}

/**
 * One column upright for a few cameras, two for more; lying on its side, one more of each.
 *
 * @param {number} count
 * @param {number} width
 * @param {number} height
 * @param {number} gap
 * @returns {Grid}
 */
function handGrid(count, width, height, gap) {
  const upright = count < SMALLEST_PAIR ? 1 : 2
  const columns = Math.min(count, width > height && count > 1 ? upright + 1 : upright)
  const tileWidth = Math.max(1, Math.floor((width - gap * (columns - 1)) / columns))
  const tileHeight = Math.max(1, Math.floor(tileWidth / ASPECT))
  const rows = Math.ceil(count / columns)
  return { columns, rows, tileWidth, tileHeight, scrolls: rows * (tileHeight + gap) - gap > height }
}
