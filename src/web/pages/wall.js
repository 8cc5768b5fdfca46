// @ts-check
import { bestGrid } from './grid.js'

/** @typedef {import('./tile.js').Tile} Tile */
/** @typedef {import('./feed.js').FeedStream} FeedStream */

/** Tiles that are this near to the screen keep playing, so that scrolling meets moving pictures. */
const NEARBY = '50% 0px'

/** All tiles of a page: which there are, where they stand, and which of them is enlarged. */
export class Wall {
  #root
  #makeTile
  /** @type {Map<string, Tile>} */
  #tiles = new Map()
  /** @type {Tile | undefined} */
  #large
  #pinned
  #watcher
  #columns = 1

  /**
   * @param {HTMLElement} root
   * @param {{ pinned: boolean, makeTile: (name: string) => Tile }} options
   *   `pinned`: a page of one stream, which is always large
   */
  constructor(root, { pinned, makeTile }) {
    this.#root = root
    this.#pinned = pinned
    this.#makeTile = makeTile
    this.#watcher = new IntersectionObserver((entries) => this.#noteView(entries), {
      rootMargin: NEARBY,
    })
    new ResizeObserver(() => this.#arrange()).observe(root)
  }

  get tiles() {
    return [...this.#tiles.values()]
  }

  get large() {
    return this.#large
  }

  /** Makes the tiles of these streams, in this order, and removes all others. @param {readonly string[]} names */
  show(names) {
    if (names.join('\n') === [...this.#tiles.keys()].join('\n')) return
    for (const [name, tile] of this.#tiles) {
      if (!names.includes(name)) this.#remove(name, tile)
    }
    this.#tiles = new Map(names.map((name) => [name, this.#tiles.get(name) ?? this.#add(name)]))
    // Moving a playing video in the document would stop it, so the order is a matter of style.
    for (const [index, { element }] of this.tiles.entries()) element.style.order = String(index)
    this.#arrange()
  }

  /** @param {readonly FeedStream[]} streams */
  update(streams) {
    for (const stream of streams) {
      const tile = this.#tiles.get(stream.name)
      if (tile !== undefined) tile.stream = stream
    }
  }

  /** Enlarges a tile, or puts the large one back. @param {string | undefined} name */
  enlarge(name) {
    if (this.#pinned) return
    const before = this.#large
    if (before !== undefined) before.enlarged = false
    this.#large = name === undefined ? undefined : this.#tiles.get(name)
    if (this.#large !== undefined) this.#large.enlarged = true
    this.#root.classList.toggle('enlarged', this.#large !== undefined)
    ;(this.#large ?? before)?.handle.focus({ preventScroll: true })
  }

  /** @param {string} name */
  toggle(name) {
    this.enlarge(this.#large?.name === name ? undefined : name)
  }

  /** Moves the keyboard's focus, or which tile is large. @param {number} right @param {number} down */
  move(right, down) {
    const tiles = this.tiles
    const focused = tiles.findIndex(({ element }) => element.contains(document.activeElement))
    const to = focused === -1 ? 0 : focused + right + down * this.#columns
    const tile = tiles[to]
    if (tile === undefined) return
    if (this.#large === undefined) tile.handle.focus()
    else this.enlarge(tile.name)
  }

  /** @param {string} name */
  #add(name) {
    const tile = this.#makeTile(name)
    this.#root.append(tile.element)
    this.#watcher.observe(tile.element)
    if (this.#pinned) tile.pin()
    return tile
  }

  /** @param {string} name @param {Tile} tile */
  #remove(name, tile) {
    if (this.#large === tile) this.enlarge(undefined)
    this.#watcher.unobserve(tile.element)
    this.#tiles.delete(name)
    tile.destroy()
  }

  #arrange() {
    const { clientWidth, clientHeight } = document.documentElement
    if (this.#tiles.size === 0) return
    const gap = clientWidth < 1000 ? 2 : Math.round(clientWidth / 640)
    const grid = bestGrid(this.#tiles.size, clientWidth, clientHeight, gap)
    this.#columns = grid.columns
    const { style } = this.#root
    style.setProperty('--columns', String(grid.columns))
    style.setProperty('--tile-width', `${grid.tileWidth}px`)
    style.setProperty('--tile-height', `${grid.tileHeight}px`)
    style.setProperty('--gap', `${gap}px`)
    this.#root.classList.toggle('scrolls', grid.scrolls)
  }

  /** @param {IntersectionObserverEntry[]} entries */
  #noteView(entries) {
    for (const { target, isIntersecting } of entries) {
      const tile = this.tiles.find(({ element }) => element === target)
      if (tile !== undefined) tile.onScreen = isIntersecting
    }
  }
}
