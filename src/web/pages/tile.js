// @ts-check
import { element, setData, setText, setTool, toolButton } from './dom.js'
import { Player } from './player.js'
import { statusOf } from './status.js'

/** @typedef {import('./feed.js').FeedStream} FeedStream */

/**
 * @typedef {object} TileOptions
 * @property {string} name
 * @property {string} url
 * @property {import('./player.js').PlayerOptions['makeEngine']} makeEngine
 * @property {() => number} random
 * @property {boolean} soundReady
 * @property {() => void} onOpen            enlarge, or go back
 * @property {(sound: boolean) => void} onSound
 * @property {(text: string) => void} announce
 *
 * @typedef {object} TileLook
 * @property {number} now          milliseconds on a clock that never goes back
 * @property {number} serverNow    milliseconds since 1970 on the gateway's clock
 * @property {boolean} wanted
 * @property {boolean} alone     without the feed
 * @property {boolean} debug
 */

/** One stream on the page: its picture, its name, its state, its buttons. */
export class Tile {
  #options
  #parts
  #player
  /** @type {FeedStream | undefined} */
  #stream
  #tone = ''
  #onScreen = true

  /** @param {TileOptions} options */
  constructor(options) {
    this.#options = options
    this.#parts = buildParts(
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

  /** @param {FeedStream | undefined} stream */
  set stream(stream) {
    this.#stream = stream
  }

  /** @param {boolean} onScreen   whether the tile is scrolled into, or near, view */
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
  tick({ now, serverNow, wanted, alone, debug }) {
    const stream = this.#stream
    this.#player.tick({ now, wanted: wanted && this.#onScreen, stream, alone })
    this.#paint(serverNow)
    this.#paintDebug(debug, serverNow)
  }

  destroy() {
    this.#player.destroy()
    this.#parts.root.remove()
  }

  /** @param {number} serverNow */
  #paint(serverNow) {
    const { root, label, headline, detail } = this.#parts
    const { playing, pictured } = this.#player
    const latencyMs = this.#latencyMs(serverNow)
    const status = statusOf({ stream: this.#stream, now: serverNow, playing, pictured, latencyMs })
    setData(root, 'tone', status.tone)
    setData(root, 'state', this.#stream?.state ?? 'connecting')
    setData(root, 'pictured', String(pictured))
    setText(label, status.label)
    setText(headline, status.headline)
    setText(detail, status.detail)
    this.#announce(status.tone, `${this.name}: ${status.headline || 'live'}`)
  }

  /** @param {string} tone @param {string} text */
  #announce(tone, text) {
    if (tone === this.#tone) return
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
    const latency = this.#latencyMs(serverNow)
    const { droppedVideoFrames, totalVideoFrames } = video.getVideoPlaybackQuality()
    const lines = [
      `state    ${this.#stream?.state ?? '–'} ${this.#stream?.reason ?? ''}`,
      `latency  ${latency === undefined ? '–' : `${(latency / 1000).toFixed(2)} s`}`,
      `ahead    ${bufferedAhead(video).toFixed(1)} s  ×${video.playbackRate.toFixed(2)}`,
      `picture  ${video.videoWidth}×${video.videoHeight}`,
      `frames   ${totalVideoFrames}, ${droppedVideoFrames} dropped`,
      `stalls   ${this.#player.stalls}  heals ${this.#player.heals}`,
    ]
    setText(debug, lines.join('\n'))
  }
}

function fullscreen() {
  return document.documentElement.requestFullscreen?.()
}

/** @param {HTMLVideoElement} video */
function bufferedAhead({ buffered, currentTime }) {
  for (let i = 0; i < buffered.length; i += 1) {
    if (buffered.start(i) <= currentTime && currentTime <= buffered.end(i)) {
      return buffered.end(i) - currentTime
    }
  }
  return 0
}

/**
 * @param {TileOptions} options
 * @param {() => void} onSound
 * @param {() => void} onFullscreen
 */
function buildParts({ name, onOpen }, onSound, onFullscreen) {
  const video = buildVideo()
  const still = element('canvas', 'still')
  still.hidden = true
  const title = element('span', 'name')
  title.textContent = name
  const label = element('span', 'label')
  const headline = element('p', 'headline')
  const detail = element('p', 'detail')
  const debug = element('pre', 'debug')
  debug.hidden = true
  const open = element('button', 'open')
  open.type = 'button'
  open.setAttribute('aria-label', `Enlarge ${name}`)
  open.addEventListener('click', onOpen)
  const sound = toolButton('sound-off', 'Unmute', onSound)
  const full = toolButton('fullscreen', 'Full screen', onFullscreen)
  const back = toolButton('back', 'Back to the wall', onOpen)
  const root = element('section', 'tile', [
    video,
    still,
    element('div', 'message', [headline, detail]),
    element('div', 'plate', [element('span', 'dot'), title, label]),
    debug,
    open,
    element('div', 'tools', [sound, full, back]),
  ])
  root.setAttribute('aria-label', name)
  return { root, video, still, label, headline, detail, debug, open, sound }
}

function buildVideo() {
  const video = element('video', 'video')
  video.muted = true
  video.autoplay = true
  video.playsInline = true
  video.disablePictureInPicture = true
  video.tabIndex = -1
  video.setAttribute('aria-hidden', 'true')
  return video
}
