// @ts-check
import { element, setText } from './dom.js'
import { fractionOf, marks, timeAt } from './scale.js'
import { clockTime } from './times.js'

/** @typedef {import('./scale.js').Scale} Scale */

/**
 * @typedef {object} BarLook
 * @property {Scale} scale
 * @property {number} now
 * @property {number} at        what is shown
 * @property {number} dvrMs     how far back seeking is at once
 */

/** The bar: where the picture is in time, and the hand that moves it. */
export class ScrubBar {
  #track
  #thumb = element('div', 'thumb')
  #kept = element('div', 'kept')
  #tip = element('output', 'tip')
  #marks = element('div', 'marks')
  /** @type {BarLook} */
  #look = { scale: { endMs: 0, spanMs: 1 }, now: 0, at: 0, dvrMs: 0 }
  #marked = ''
  #dragging = false

  /** @param {(ms: number) => void} onSeek */
  constructor(onSeek) {
    this.#track = element('div', 'track', [this.#kept, this.#marks, this.#thumb, this.#tip])
    this.#track.tabIndex = 0
    this.#track.setAttribute('role', 'slider')
    this.#track.setAttribute('aria-label', 'Time')
    this.#tip.hidden = true
    this.#listen(onSeek)
  }

  get element() {
    return this.#track
  }

  /** @param {BarLook} look */
  paint(look) {
    this.#look = look
    const { scale, at, now, dvrMs } = look
    if (!this.#dragging) place(this.#thumb, fractionOf(scale, at))
    const keptFrom = Math.max(0, fractionOf(scale, now - dvrMs))
    this.#kept.style.setProperty('--from', String(Math.min(1, keptFrom)))
    this.#kept.style.setProperty('--to', String(Math.min(1, Math.max(0, fractionOf(scale, now)))))
    this.#describe(at, now)
    this.#paintMarks()
  }

  /** @param {number} at @param {number} now */
  #describe(at, now) {
    const { endMs, spanMs } = this.#look.scale
    this.#track.setAttribute('aria-valuemin', String(Math.round(endMs - spanMs)))
    this.#track.setAttribute('aria-valuemax', String(Math.round(endMs)))
    this.#track.setAttribute('aria-valuenow', String(Math.round(at)))
    this.#track.setAttribute('aria-valuetext', clockTime(at, now))
  }

  #paintMarks() {
    const { scale, now } = this.#look
    const times = marks(scale, -new Date(scale.endMs).getTimezoneOffset() * 60_000)
    const key = `${times.join()} ${scale.spanMs}`
    if (key !== this.#marked) {
      this.#marked = key
      this.#marks.replaceChildren(...times.map((ms) => markOf(ms, now)))
    }
    for (const [i, mark] of [...this.#marks.children].entries()) {
      if (mark instanceof HTMLElement) place(mark, fractionOf(scale, times[i] ?? 0))
    }
  }

  /** @param {(ms: number) => void} onSeek */
  #listen(onSeek) {
    const track = this.#track
    track.addEventListener('pointerdown', (event) => {
      if (event.button !== 0) return
      this.#dragging = true
      track.setPointerCapture(event.pointerId)
      this.#point(event)
    })
    track.addEventListener('pointermove', (event) => this.#point(event))
    track.addEventListener('pointerleave', () => this.#hide())
    track.addEventListener('pointercancel', () => {
      this.#dragging = false
      this.#hide()
    })
    track.addEventListener('pointerup', (event) => {
      if (!this.#dragging) return
      this.#dragging = false
      onSeek(this.#timeUnder(event))
    })
  }

  /** @param {PointerEvent} event */
  #point(event) {
    const ms = this.#timeUnder(event)
    const { scale, now } = this.#look
    this.#tip.hidden = false
    setText(this.#tip, clockTime(ms, now))
    place(this.#tip, fractionOf(scale, ms))
    if (this.#dragging) place(this.#thumb, fractionOf(scale, ms))
  }

  #hide() {
    if (!this.#dragging) this.#tip.hidden = true
  }

  /** @param {PointerEvent} event */
  #timeUnder({ clientX }) {
    const { left, width } = this.#track.getBoundingClientRect()
    const { scale, now } = this.#look
    return Math.min(now, timeAt(scale, (clientX - left) / Math.max(1, width)))
  }
}

/** @param {number} ms @param {number} now */
function markOf(ms, now) {
  const text = clockTime(ms, now).replace(/:\d\d$/, '')
  return element('span', 'mark', [new Text(text)])
}

/** @param {HTMLElement} target @param {number} at */
function place(target, at) {
  target.style.setProperty('--at', String(Math.min(1, Math.max(0, at))))
  target.classList.toggle('outside', at < 0 || at > 1)
}
