// @ts-check
import { covers, listAt } from './past-list.js'
import { clockTime } from './times.js'

/** @typedef {import('./past-list.js').PastList} PastList */
/** @typedef {import('./past-engine.js').PastEngine} PastEngine */
/** @typedef {import('./past-engine.js').PastOptions} PastOptions */

/**
 * @typedef {object} PastPlayerOptions
 * @property {HTMLVideoElement} video
 * @property {string} base                                   what the lists are relative to, with its slash
 * @property {(options: PastOptions) => PastEngine} makeEngine
 */

/** A list that has ended leads on to the next one this far behind its end. */
const ONWARD_MS = 1000

/** The picture of another time in the same video element. Times in milliseconds since 1970. */
export class PastPlayer {
  #options
  #past = { dvrMs: 0, archive: false }
  /** @type {PastList | undefined} */
  #list
  /** @type {PastEngine | undefined} */
  #engine
  #at = 0
  #trouble = ''
  #listening = new AbortController()

  /** @param {PastPlayerOptions} options */
  constructor(options) {
    this.#options = options
    const { signal } = this.#listening
    options.video.addEventListener('ended', () => this.#goOn(), { signal })
  }

  /** What keeps the picture from coming, in words; empty while all is well. */
  get trouble() {
    return this.#trouble
  }

  /** When the shown picture was taken; before there is one, which is awaited. */
  get at() {
    const { video } = this.#options
    const shownAt = video.seeking ? undefined : this.#engine?.shownAt()
    return shownAt ?? this.#at
  }

  get paused() {
    return this.#options.video.paused
  }

  /**
   * @param {number} ms
   * @param {number} now
   * @param {{ dvrMs: number, archive: boolean }} past
   */
  visit(ms, now, past) {
    this.#past = past
    this.#at = ms
    if (this.#list !== undefined && this.#trouble === '' && covers(this.#list, ms)) {
      this.#engine?.seek(ms)
      return
    }
    this.#load(listAt(ms, now, past), ms)
  }

  pause() {
    this.#options.video.pause()
  }

  play() {
    // A browser may refuse; the button says so by not changing.
    this.#options.video.play().catch(() => {})
  }

  destroy() {
    this.#listening.abort()
    this.#engine?.destroy()
  }

  /** @param {PastList | undefined} list @param {number} at */
  #load(list, at) {
    this.#engine?.destroy()
    this.#engine = undefined
    this.#list = list
    this.#trouble = list === undefined ? 'Nothing is kept from that time.' : ''
    if (list === undefined) return
    const { video, base, makeEngine } = this.#options
    const url = `${base}${list.path}`
    const onTrouble = (/** @type {number} */ status) => this.#fail(status, url)
    this.#engine = makeEngine({ video, url, at, onTrouble })
    this.play()
  }

  /** @param {number} status @param {string} url */
  #fail(status, url) {
    this.#trouble =
      status === 404 ? 'Nothing was recorded at that time.' : 'That time cannot be shown now.'
    this.#engine?.destroy()
    this.#engine = undefined
    if (status === 404) void this.#tellNearest(url, this.#at)
  }

  /** The refusal says when there was something. @param {string} url @param {number} at */
  async #tellNearest(url, at) {
    const nearest = await nearestTimes(url).catch(() => [])
    if (this.#trouble === '' || this.#at !== at || nearest.length === 0) return
    const times = nearest.map((ms) => clockTime(ms, Date.now())).join(' and ')
    this.#trouble = `Nothing was recorded at that time. Nearest: ${times}.`
  }

  /** A closed list is an hour; the recording is not. */
  #goOn() {
    const list = this.#list
    if (list === undefined || !Number.isFinite(list.endMs)) return
    const at = list.endMs + ONWARD_MS
    this.#at = at
    this.#load(listAt(at, Date.now(), this.#past), at)
  }
}

/**
 * @param {string} url
 * @returns {Promise<number[]>} milliseconds since 1970, at most one before and one after
 */
async function nearestTimes(url) {
  const response = await fetch(url)
  const { nearestBefore, nearestAfter } = await response.json()
  return [nearestBefore, nearestAfter].map(Date.parse).filter((ms) => !Number.isNaN(ms))
}
