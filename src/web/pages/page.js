// @ts-check
import { Attention } from './attention.js'
import { Capacity, LOOK_EVERY_MS } from './capacity.js'
import { Contact } from './contact.js'
import { element, setText } from './dom.js'
import { followFeed } from './feed.js'
import Hls from './hls.mjs'
import { hlsEngine } from './hls-engine.js'
import { handleKey } from './keys.js'
import { nativeEngine } from './native-engine.js'
import { pastHlsEngine, pastNativeEngine } from './past-engine.js'
import { feedUrl, placeOf, playlistUrl } from './place.js'
import { Refused, readAnswer } from './refusal.js'
import { renewFor } from './renewal.js'
import { ServerClock } from './server-clock.js'
import { Tile } from './tile.js'
import { clockTime } from './times.js'
import { Turns } from './turns.js'
import { WakeableSleep } from './wakeable-sleep.js'
import { Wall } from './wall.js'

/** @typedef {import('./feed.js').FeedAnswer} FeedAnswer */

/** New players that have to find their pictures at a time, beside those of the start: more would slow each other down. */
const MOST_RESTARTING = 4

/** The player page and the wall: one feed, one clock and one timer for all their tiles. */
class Page {
  #place = placeOf(location.pathname, location.search)
  #single = document.body.dataset['page'] === 'play'
  #version = new URL(import.meta.url).pathname.split('/').at(-2) ?? ''
  #clock = new ServerClock()
  #contact = new Contact(performance.now())
  #capacity = new Capacity()
  /** @type {Turns<Tile>} */
  #turns = new Turns()
  #pause = new WakeableSleep()
  #attention = new Attention(
    () => performance.now(),
    () => this.#return(),
  )
  #banner = partOf('banner')
  #empty = partOf('empty')
  #announcer = partOf('announcer')
  #wall = new Wall(partOf('wall'), {
    pinned: this.#single,
    makeTile: (name) => this.#makeTile(name),
  })
  #debug = false
  #refused = false
  #noStream = this.#empty.textContent

  async run() {
    const { names } = this.#place
    document.title = this.#single ? (names[0] ?? '') : 'Wall'
    this.#wall.show(names)
    setInterval(() => this.#look(), LOOK_EVERY_MS)
    const toggleDebug = () => {
      this.#debug = !this.#debug
      this.#look()
    }
    addEventListener('keydown', (event) => handleKey(event, this.#wall, { toggleDebug }))
    await this.#follow(new AbortController().signal)
  }

  /** @param {AbortSignal} signal */
  async #follow(signal) {
    const ports = {
      read: readFeed(feedUrl(this.#place.root, this.#place.names)),
      // A page at rest does not ask either, or its cameras would never stop.
      sleep: (/** @type {number} */ ms, /** @type {AbortSignal} */ ended) =>
        this.#pause.sleep(this.#resting ? Number.POSITIVE_INFINITY : ms, ended),
      onAnswer: this.#noteAnswer.bind(this),
      onTrouble: this.#noteTrouble.bind(this),
      now: Date.now,
      random: Math.random,
    }
    await followFeed(ports, signal)
  }

  /** Nobody has looked for a while, or listens. */
  get #resting() {
    return this.#attention.absent && !this.#wall.tiles.some(({ sounding }) => sounding)
  }

  /** @param {FeedAnswer} answer @param {number} sentMs */
  #noteAnswer({ now, version, streams }, sentMs) {
    this.#clock.sample(sentMs, Date.now(), now)
    if (this.#contact.lost(performance.now())) this.#hurry()
    this.#contact.renew(performance.now())
    this.#refused = false
    const { names } = this.#place
    // Without those that the viewer may not see.
    const seen = streams.map(({ name }) => name)
    this.#wall.show(names.length > 0 ? names.filter((name) => seen.includes(name)) : seen)
    this.#wall.update(streams)
    setText(this.#empty, this.#noStream)
    this.#empty.hidden = this.#wall.tiles.length > 0
    renewFor(this.#version, version, Math.random)
  }

  /** Takes all pictures away from who may not see them any more, and asks for nothing of them. @param {unknown} error */
  #noteTrouble(error) {
    console.debug('feed', error)
    if (!(error instanceof Refused)) return
    this.#refused = true
    this.#wall.show([])
    setText(this.#empty, error.message)
    this.#empty.hidden = false
  }

  #look() {
    const now = performance.now()
    const wanted = this.#wanted()
    const { limit } = this.#capacity
    const held = new Set(wanted.slice(limit))
    this.#tick(now, this.#turns.choose(wanted, limit, now), held)
    this.#capacity.look({ now, wanted: wanted.length, ...effortOf(wanted) })
    // What failed for want of room need not wait any longer.
    if (this.#capacity.limit > limit) this.#hurry()
    if (this.#resting || this.#refused) this.#contact.renew(now)
    this.#showTrouble(now, wanted.length, held.size)
    this.#attention.tick()
  }

  /** The tiles that somebody sees or hears, the most important first. */
  #wanted() {
    const { absent } = this.#attention
    const tiles = this.#wall.tiles.filter((tile) => tile.onScreen && (!absent || tile.sounding))
    const first = tiles.filter((tile) => tile === this.#wall.large || tile.sounding)
    return [...new Set([...first, ...tiles])]
  }

  /** @param {number} now @param {ReadonlySet<Tile>} running @param {ReadonlySet<Tile>} held */
  #tick(now, running, held) {
    const serverNow = this.#clock.at(Date.now())
    const debug = this.#debug
    const { tiles } = this.#wall
    let restarting = tiles.filter((tile) => tile.restarting).length
    for (const [index, tile] of tiles.entries()) {
      const before = tile.restarting
      const mayRebuild = restarting < MOST_RESTARTING
      const alone = this.#contact.alone(now, index)
      const [runs, isHeld] = [running.has(tile), held.has(tile)]
      tile.tick({ now, serverNow, runs, held: isHeld, alone, mayRebuild, debug })
      if (tile.restarting && !before) restarting += 1
    }
  }

  /** @param {number} now @param {number} wanted @param {number} held */
  #showTrouble(now, wanted, held) {
    const lost = this.#contact.lost(now)
    this.#banner.hidden = !lost && held === 0
    if (lost) {
      const serverNow = this.#clock.at(Date.now())
      const since = clockTime(serverNow - this.#contact.silentMs(now), serverNow)
      setText(this.#banner, `No contact with the gateway since ${since}. Trying again.`)
    } else if (held > 0) {
      const running = `${wanted - held} of ${wanted} run`
      setText(this.#banner, `This machine is too busy for all: ${running}, the rest by turns.`)
    }
  }

  /** @param {string} name */
  #makeTile(name) {
    /** @type {Tile} */
    const tile = new Tile({
      name,
      root: this.#place.root,
      url: playlistUrl(this.#place.root, name),
      makeEngine,
      makePastEngine,
      random: Math.random,
      soundReady: this.#single,
      onOpen: () => (this.#single ? tile.toggleSound() : this.#wall.toggle(name)),
      onSound: () => this.#hush(tile),
      announce: (text) => this.#announcer.replaceChildren(element('p', '', [new Text(text)])),
    })
    return tile
  }

  /** One voice at a time. @param {Tile} speaker */
  #hush(speaker) {
    for (const tile of this.#wall.tiles) if (tile !== speaker) tile.sound = false
  }

  /** The viewer, or the network, is back. */
  #return() {
    this.#pause.wake()
    this.#hurry()
  }

  #hurry() {
    for (const tile of this.#wall.tiles) tile.hurry()
  }
}

/**
 * What the tiles that have players do together.
 *
 * @param {readonly Tile[]} tiles
 */
function effortOf(tiles) {
  const due = tiles.filter(({ effort }) => effort.due)
  return {
    running: due.length,
    still: due.filter(({ playing }) => !playing).length,
    frames: due.reduce((sum, { effort }) => sum + effort.frames, 0),
    dropped: due.reduce((sum, { effort }) => sum + effort.dropped, 0),
  }
}

/** @param {string} id */
function partOf(id) {
  const found = document.getElementById(id)
  if (found === null) throw new Error(`the page lacks #${id}`)
  return found
}

/** @param {import('./hls-engine.js').EngineOptions} options */
function makeEngine(options) {
  return Hls.isSupported() ? hlsEngine(Hls, options) : nativeEngine(options)
}

/** @param {import('./past-engine.js').PastOptions} options */
function makePastEngine(options) {
  return Hls.isSupported() ? pastHlsEngine(Hls, options) : pastNativeEngine(options)
}

/** @param {string} url */
function readFeed(url) {
  return async (/** @type {AbortSignal} */ signal) => {
    // no-store: a clock that comes out of a cache is wrong by the time it lay there.
    const response = await fetch(url, { signal, cache: 'no-store' })
    return readAnswer(response)
  }
}

await new Page().run()
