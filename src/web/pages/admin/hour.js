// @ts-check
import { element, setText } from '../dom.js'
import { clockTime } from '../times.js'
import { Plot } from './plot.js'
import { nearestTo } from './plot-line.js'
import { lanesOf, stateSpans } from './session-line.js'
import { TimeLine } from './time-line.js'
import { minutesShown, ticksOf } from './time-span.js'
import { rateInWords, secondsInWords } from './units.js'

/**
 * @typedef {import('./answers.js').StreamHistory} StreamHistory
 * @typedef {import('./plot.js').Kind} Kind
 * @typedef {import('./session-line.js').Mark} Mark
 */

const MINUTE_MS = 60_000
/** Points that are farther apart have others missing between them. */
const GAP_IN_POINTS = 2.5

/** @type {Kind[]} */
const KINDS = [
  { label: 'Delay', valuesOf: (hour) => hour.delaySeconds, inWords: secondsInWords, least: 1 },
  {
    label: 'Bitrate',
    valuesOf: (hour) => hour.bitsPerSecond,
    inWords: rateInWords,
    least: 100_000,
  },
  { label: 'Viewers', valuesOf: (hour) => hour.viewers, inWords: String, least: 5 },
  {
    label: 'Upstream',
    valuesOf: (hour) => hour.upstreamBytesPerSecond.map(inBits),
    inWords: rateInWords,
    least: 100_000,
  },
  {
    label: 'Downstream',
    valuesOf: (hour) => hour.downstreamBytesPerSecond.map(inBits),
    inWords: rateInWords,
    least: 100_000,
  },
]

/** @param {number} bytesPerSecond */
function inBits(bytesPerSecond) {
  return 8 * bytesPerSecond
}

/** A stream's last hour: plots, and a time line below, over which one cursor goes. */
export class Hour {
  #plots = KINDS.map((kind) => new Plot(kind))
  #timeLine = new TimeLine({
    mark: (mark) => this.#tell(mark),
    pointed: (share) => this.#lookAt(share),
  })
  #title = element('span', 'label')
  #readout = element('span', 'readout')
  /** @type {StreamHistory['state']} */
  #states = []
  /** @type {number[]} */
  #at = []
  #hour = { fromMs: 0, toMs: 1 }
  /** @type {number | undefined} */
  #cursorMs

  /** @param {string} stream */
  constructor(stream) {
    const plots = element(
      'div',
      'plots',
      this.#plots.map(({ root }) => root),
    )
    plots.tabIndex = 0
    plots.setAttribute('role', 'group')
    plots.setAttribute(
      'aria-label',
      `The last hour of ${stream}. Arrow keys look at a moment of it.`,
    )
    plots.addEventListener('keydown', (event) => this.#key(event))
    for (const { canvas } of this.#plots) {
      for (const type of /** @type {const} */ (['pointerdown', 'pointermove'])) {
        canvas.addEventListener(type, (event) => this.#pointed(canvas, event))
      }
    }
    this.#readout.setAttribute('role', 'status')
    const title = element('div', 'title', [this.#title, this.#readout])
    this.root = element('div', 'hour', [title, plots, this.#timeLine.root])
    this.root.addEventListener('pointerleave', () => this.#look(undefined))
    this.#look(undefined)
  }

  /**
   * @param {StreamHistory} history
   * @param {number} nowMs
   * @param {{ source: string, openedMs: number } | undefined} open   the session that is in use
   */
  show(history, nowMs, open) {
    const gapMs = GAP_IN_POINTS * 1000 * history.everySeconds
    this.#at = history.at.map((at) => Date.parse(at))
    this.#states = history.state
    const minutes = minutesShown(this.#at[0], nowMs)
    setText(this.#title, minutes === 60 ? 'Last hour' : `Last ${minutes} minutes`)
    this.#hour = { fromMs: nowMs - minutes * MINUTE_MS, toMs: nowMs }
    for (const plot of this.#plots) plot.show(history, this.#at, this.#hour, gapMs)
    const states = stateSpans({ at: this.#at, state: history.state }, gapMs)
    const lanes = lanesOf(history.sessions, this.#hour, open)
    this.#timeLine.show(states, lanes, this.#hour, ticksOf(minutes))
    this.#look(this.#cursorMs)
  }

  /**
   * Shows what was at a moment; what is now, without one.
   *
   * @param {number | undefined} ms
   */
  #look(ms) {
    this.#cursorMs = ms
    const index = ms === undefined ? this.#at.length - 1 : nearestTo(this.#at, ms)
    const at = this.#at[index]
    const { fromMs, toMs } = this.#hour
    const share = ms === undefined || at === undefined ? undefined : (at - fromMs) / (toMs - fromMs)
    for (const plot of this.#plots) plot.point(index, share)
    const then = share === undefined || at === undefined ? '' : clockTime(at, toMs)
    setText(this.#readout, then === '' ? this.#quiet() : `${then} · ${this.#states[index]}`)
  }

  #quiet() {
    return this.#at.length === 0 ? 'The first figures come within ten seconds.' : ''
  }

  /** @param {Mark} mark */
  #tell({ atMs, words }) {
    this.#look(atMs)
    setText(this.#readout, `${clockTime(atMs, this.#hour.toMs)} · ${words}`)
  }

  /** @param {HTMLElement} canvas @param {PointerEvent} event */
  #pointed(canvas, event) {
    const { left, width } = canvas.getBoundingClientRect()
    this.#lookAt((event.clientX - left) / width)
  }

  /** @param {number} share   of the hour that had passed by then */
  #lookAt(share) {
    const { fromMs, toMs } = this.#hour
    this.#look(fromMs + share * (toMs - fromMs))
  }

  /** @param {KeyboardEvent} event */
  #key(event) {
    const step = new Map([
      ['ArrowLeft', -1],
      ['ArrowRight', 1],
      ['PageUp', -30],
      ['PageDown', 30],
    ]).get(event.key)
    if (event.key === 'Escape') this.#look(undefined)
    if (step === undefined || this.#at.length === 0) return
    event.preventDefault()
    const last = this.#at.length - 1
    const from = this.#cursorMs === undefined ? last + 1 : nearestTo(this.#at, this.#cursorMs)
    this.#look(this.#at[Math.min(last, Math.max(0, from + step))])
  }
}
