// @ts-check

/** @typedef {import('./wall.js').Wall} Wall */

/** @type {ReadonlyMap<string, readonly [number, number]>} */
const ARROWS = new Map([
  ['ArrowLeft', [-1, 0]],
  ['ArrowRight', [1, 0]],
  ['ArrowUp', [0, -1]],
  ['ArrowDown', [0, 1]],
])

/**
 * Arrows move between tiles, Enter enlarges (the tile's own button does that), Escape goes back,
 * `m` sound, `f` full screen, `d` counters.
 *
 * @param {KeyboardEvent} event
 * @param {Wall} wall
 * @param {{ toggleDebug: () => void }} page
 */
export function handleKey(event, wall, { toggleDebug }) {
  if (event.ctrlKey || event.metaKey || event.altKey) return
  const arrow = ARROWS.get(event.key)
  if (arrow !== undefined) {
    event.preventDefault()
    wall.move(...arrow)
    return
  }
  const chosen = wall.large ?? (wall.tiles.length === 1 ? wall.tiles[0] : undefined)
  if (event.key === 'Escape') wall.enlarge(undefined)
  else if (event.key === 'd') toggleDebug()
  else if (event.key === 'm') chosen?.toggleSound()
  else if (event.key === 'f') (chosen ?? wall.tiles[0])?.toggleFullscreen()
}
