// @ts-check
import { countersOf } from './counters.js'
import { element, setData, setText, setTool } from './dom.js'
import { Player } from './player.js'
import { pastStatus, statusOf } from './status.js'
import { buildTileParts } from './tile-parts.js'
import { TimeTravel } from './time-travel.js'

/** @typedef {import('./feed.js').FeedStream} FeedStream */

/**
 * @typedef {object} TileOptions
 * @property {string} name
 * @property {string} url
 * @property {string} root                  of the pages
 * @property {import('./player.js').PlayerOptions['makeEngine']} makeEngine
 * @property {import('./player.js').PlayerOptions['makePastEngine']} makePastEngine
 * @property {() => number} random
 * @property {boolean} soundReady
 * @property {() => void} onOpen            enlarge, or go back
 * @property {(sound: boolean) => void} onSound
 * @property {(text: string) => void} announce
 *
 * @typedef {object} TileLook
 * @property {number} now          milliseconds on a clock that never goes back
 * @property {number} serverNow    milliseconds since 1970 on the gateway's clock
 * @property {boolean} runs      it may have a player now
 * @property {boolean} held      it has one by turns only
 * @property {boolean} alone     without the feed
 * @property {boolean} mayRebuild
 * @property {boolean} debug
 */

/** One stream on the page: its picture, its name, its state, its buttons. */
export class Tile {
  #options
  #parts
  #player
  /** @type {FeedStream | undefined} */
  #stream
  /** @type {TimeTravel | undefined} */
  #travel
  #serverNow = 0
  #tone = ''
  #onScreen = true

  /** @param {TileOptions} options */
  constructor(options) {
    this.#options = options
    this.#parts = buildTileParts(
      options,
      () => this.toggleSound(),
      () => this.toggleFullscreen(),
    )
    const { video, still } = this.#parts
    this.#player = new Player({ ...options, video, still })
  }

  get name() {
    return this.#options.name
  }

  get element() {
    return this.#parts.root
  }

  /** The button that enlarges the tile: where the keyboard's focus goes. */
  get handle() {
    return this.#parts.open
  }

  get sounding() {
    return !this.#parts.video.muted
  }

  /** Whether it is scrolled into, or near, view. */
  get onScreen() {
    return this.#onScreen
  }

  get playing() {
    return this.#player.playing
  }

  get restarting() {
    return this.#player.restarting
  }

  get effort() {
    return this.#player.effort
  }

  /** @param {FeedStream | undefined} stream */
  set stream(stream) {
    this.#stream = stream
  }

  set onScreen(onScreen) {
    this.#onScreen = onScreen
  }

  /** @param {boolean} enlarged */
  set enlarged(enlarged) {
    const { root, open } = this.#parts
    root.classList.toggle('large', enlarged)
    open.setAttribute('aria-label', enlarged ? `Back from ${this.name}` : `Enlarge ${this.name}`)
    if (!enlarged) this.sound = false
  }

  /** The only tile of a page is always large; a press on it is for the sound. */
  pin() {
    this.#parts.root.classList.add('large')
    this.#travel = new TimeTravel({ ...this.#options, machine: this.#timeMachine() })
    // One below the other, however many lines the buttons take on a phone.
    this.#parts.root.append(element('div', 'foot', [this.#parts.plate, this.#travel.element]))
    this.#parts.open.setAttribute('aria-label', `Mute or unmute ${this.name}`)
  }

  /** @param {boolean} sound */
  set sound(sound) {
    this.#player.sound = sound
    setTool(this.#parts.sound, sound ? 'sound-on' : 'sound-off', sound ? 'Mute' : 'Unmute')
  }

  toggleSound() {
    this.sound = !this.sounding
    this.#options.onSound(this.sounding)
  }

  toggleFullscreen() {
    const done = document.fullscreenElement === null ? fullscreen() : document.exitFullscreen()
    done?.catch(() => {})
  }

  hurry() {
    this.#player.hurry()
  }

  /** @param {TileLook} look */
  tick({ now, serverNow, runs, held, alone, mayRebuild, debug }) {
    const stream = this.#stream
    this.#serverNow = serverNow
    this.#player.tick({ now, wanted: runs, stream, alone, mayRebuild })
    this.#paint(serverNow, held)
    this.#travel?.tick({ stream, now: serverNow })
    this.#paintDebug(debug, serverNow)
  }

  destroy() {
    this.#player.destroy()
    this.#parts.root.remove()
  }

  /** @param {number} serverNow @param {boolean} held */
  #paint(serverNow, held) {
    const { root, label, headline, detail } = this.#parts
    const { playing, pictured } = this.#player
    const latencyMs = this.#latencyMs(serverNow)
    const seen = { stream: this.#stream, now: serverNow, held, playing, pictured, latencyMs }
    const status = this.#player.live ? statusOf(seen) : pastStatus(this.#player, serverNow)
    setData(root, 'tone', status.tone)
    setData(root, 'state', this.#stream?.state ?? 'connecting')
    setData(root, 'pictured', String(pictured))
    setText(label, status.label)
    setText(headline, status.headline)
    setText(detail, status.detail)
    this.#announce(status.tone, `${this.name}: ${status.headline || 'live'}`)
  }

  /** The scrub bar of a page that shows nothing but this. */
  get travel() {
    return this.#travel
  }

  /** @returns {import('./time-travel.js').TimeMachine} */
  #timeMachine() {
    const player = this.#player
    const past = () => this.#stream?.past ?? { dvrMs: 0, archive: false, clip: false }
    return {
      at: () => player.shownAt,
      live: () => player.live,
      paused: () => player.paused,
      visit: (ms) => player.visit(ms, this.#serverNow, past()),
      goLive: () => player.goLive(),
      pause: () => player.pause(this.#serverNow, past()),
      play: () => player.play(),
    }
  }

  /** @param {string} tone @param {string} text */
  #announce(tone, text) {
    // What runs by turns is told once, by the page.
    if (tone === this.#tone || tone === 'still') return
    if (this.#tone !== '' && this.#tone !== 'starting') this.#options.announce(text)
    this.#tone = tone
  }

  /** @param {number} serverNow */
  #latencyMs(serverNow) {
    const { shownAt } = this.#player
    return shownAt === undefined ? undefined : serverNow - shownAt
  }

  /** @param {boolean} shown @param {number} serverNow */
  #paintDebug(shown, serverNow) {
    const { debug, video } = this.#parts
    debug.hidden = !shown
    if (!shown) return
    const { stalls, heals } = this.#player
    const latencyMs = this.#latencyMs(serverNow)
    setText(debug, countersOf({ video, stream: this.#stream, latencyMs, stalls, heals }))
  }
}

function fullscreen() {
  return document.documentElement.requestFullscreen?.()
}
