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
 * `m` sound, `f` full screen, `d` counters. Where there is a scrub bar: left and right move in time, the space
 * bar pauses, `l` goes back to the live picture, `s` saves the last half minute.
 *
 * @param {KeyboardEvent} event
 * @param {Wall} wall
 * @param {{ toggleDebug: () => void }} page
 */
export function handleKey(event, wall, { toggleDebug }) {
  if (event.ctrlKey || event.metaKey || event.altKey) return
  if (event.target instanceof HTMLInputElement) return
  const travel = wall.tiles.length === 1 ? wall.tiles[0]?.travel : undefined
  if (travel !== undefined && travelBy(event, travel)) return
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

/**
 * @param {KeyboardEvent} event
 * @param {import('./time-travel.js').TimeTravel} travel
 * @returns {boolean} whether the key was for it
 */
function travelBy(event, travel) {
  const act = new Map([
    ['ArrowLeft', () => travel.step(-1)],
    ['ArrowRight', () => travel.step(1)],
    [' ', () => travel.togglePause()],
    ['l', () => travel.goLive()],
    ['s', () => travel.save()],
  ]).get(event.key)
  // A space bar on a button is for the button.
  if (act === undefined || travel.element.hidden) return false
  if (event.key === ' ' && event.target instanceof HTMLButtonElement) return false
  event.preventDefault()
  act()
  return true
}
