// @ts-check

/**
 * How many pictures this machine can move at a time, told from how well it moves those that run.
 *
 * A pure state machine: it is told what is seen at each look, twice a second. What strains the machine for long runs
 * less; what it does with ease lets it try more, soon at first and less readily after a try that failed.
 *
 * @typedef {object} Effort
 * @property {number} now       milliseconds on a clock that never goes back
 * @property {number} wanted    how many pictures would run if the machine could
 * @property {number} running   how many should move: they have a player, new media keeps coming, and no remedy is waited for
 * @property {number} still     how many of these stand still
 * @property {number} frames    how many frames of them came due since the last look
 * @property {number} dropped   how many of these were never shown
 *
 * @typedef {'strained' | 'at ease' | 'neither'} Verdict
 */

export const LOOK_EVERY_MS = 500
const WINDOW_MS = 2000
/** Windows in which dozens of players start at once, and strain says little: those of the page, and those of a try. */
const FIRST_WINDOWS = 4
const SETTLING_WINDOWS = 2
/** Strained windows in a row that cost some of the pictures their players. */
const STRAINED_WINDOWS = 3
/** At most so many windows at ease before another try. */
const LONGEST_PATIENCE = 2
const GROWTH = 3
/** Two steps of growth bring all back. */
const LEAST_SHARE = 1 / GROWTH ** 2

export class Capacity {
  #limit = Number.POSITIVE_INFINITY
  /** What worked before the try that is under way. @type {number | undefined} */
  #proved
  #patience = 1
  #strained = 0
  #atEase = 0
  /** Windows that are not judged yet, as players are starting. */
  #settling = FIRST_WINDOWS
  /** @type {number | undefined} */
  #lastLook
  #window = emptyWindow(0)

  /** How many pictures may run; Infinity while all may. */
  get limit() {
    return this.#limit
  }

  /** @param {Effort} effort */
  look(effort) {
    const { now } = effort
    if (this.#lastLook === undefined) this.#window = emptyWindow(now)
    const late = now - (this.#lastLook ?? now) - LOOK_EVERY_MS
    this.#lastLook = now
    note(this.#window, effort, Math.max(0, late))
    if (now - this.#window.since < WINDOW_MS) return
    const verdict = judge(this.#window)
    this.#window = emptyWindow(now)
    this.#weigh(verdict, effort.wanted)
  }

  /** @param {Verdict} verdict @param {number} wanted */
  #weigh(verdict, wanted) {
    this.#strained = verdict === 'strained' ? this.#strained + 1 : 0
    this.#atEase = verdict === 'at ease' ? this.#atEase + 1 : 0
    if (verdict === 'at ease') return this.#noteEase(wanted)
    if (this.#settling > 0) this.#settling -= 1
    else if (this.#proved !== undefined && verdict === 'strained') this.#giveUp(this.#proved)
    else if (this.#strained >= STRAINED_WINDOWS) this.#shrink(wanted)
  }

  /** @param {number} wanted */
  #noteEase(wanted) {
    this.#settling = 0
    if (this.#proved !== undefined) this.#patience = 1
    this.#proved = undefined
    if (this.#limit >= wanted) this.#limit = Number.POSITIVE_INFINITY
    if (this.#limit === Number.POSITIVE_INFINITY || this.#atEase < this.#patience) return
    this.#proved = this.#limit
    this.#change(this.#limit * GROWTH)
  }

  /** @param {number} proved */
  #giveUp(proved) {
    this.#proved = undefined
    this.#patience = Math.min(LONGEST_PATIENCE, this.#patience + 1)
    this.#change(proved)
  }

  /** @param {number} wanted */
  #shrink(wanted) {
    const least = Math.ceil(wanted * LEAST_SHARE)
    this.#change(Math.max(least, Math.floor(Math.min(this.#limit, wanted) / 2)))
  }

  /** @param {number} limit */
  #change(limit) {
    this.#limit = limit
    this.#strained = 0
    this.#atEase = 0
    this.#settling = SETTLING_WINDOWS
  }
}

/** @param {number} since */
function emptyWindow(since) {
  return { since, looks: 0, lateMs: 0, frames: 0, dropped: 0, running: 0, still: 0 }
}

/**
 * @param {ReturnType<typeof emptyWindow>} window
 * @param {Effort} effort
 * @param {number} lateMs
 */
function note(window, { frames, dropped, running, still }, lateMs) {
  window.looks += 1
  window.lateMs += lateMs
  window.frames += frames
  window.dropped += dropped
  window.running += running
  window.still += still
}

/**
 * Pictures that stand still may wait for the network, or be of a kind that this browser cannot show. So they count only
 * where this page's own timer comes late, or frames are dropped.
 *
 * @param {ReturnType<typeof emptyWindow>} window
 * @returns {Verdict}
 */
function judge({ looks, lateMs, frames, dropped, running, still }) {
  const late = lateMs / looks
  const lost = frames === 0 ? 0 : dropped / frames
  const isStill = running > 0 && still * 3 >= running
  if (lost > 0.25 || late > 500 || (isStill && (lost > 0.1 || late > 100))) return 'strained'
  return lost < 0.1 && late < 150 && !isStill ? 'at ease' : 'neither'
}
