// @ts-check
import { element } from '../dom.js'

/**
 * @typedef {import('./session-line.js').Lane} Lane
 * @typedef {import('./session-line.js').Mark} Mark
 * @typedef {import('./session-line.js').Span} Span
 * @typedef {import('./session-line.js').StateSpan} StateSpan
 */

/** What a stream was, and what became of its sessions, one above the other. */
export class TimeLine {
  #lanes = element('div', 'lanes')
  #axis = element('div', 'axis')
  #looks
  /** @type {Map<string, HTMLButtonElement>} */
  #marks = new Map()

  /**
   * @param {object} looks   called for what somebody looks at
   * @param {(mark: Mark) => void} looks.mark
   * @param {(share: number) => void} looks.pointed   with how much of the hour had passed
   */
  constructor(looks) {
    this.#looks = looks
    this.root = element('div', 'time-line', [this.#lanes, this.#axis])
  }

  /**
   * @param {readonly StateSpan[]} states
   * @param {readonly Lane[]} lanes
   * @param {Span} hour
   * @param {readonly string[]} ticks
   */
  show(states, lanes, hour, ticks) {
    this.#axis.replaceChildren(...ticks.map((words) => element('span', '', [new Text(words)])))
    const known = this.#marks
    this.#marks = new Map()
    const bands = states.map((span) => placed(bandOf(span), span, hour))
    const rows = lanes.map(({ source, sessions, marks }) => {
      const spans = sessions.map((span) => placed(element('span', 'session'), span, hour))
      const buttons = marks.map((mark) => this.#buttonOf(mark, source, known, hour))
      return row(lanes.length > 1 ? `Sessions, ${source}` : 'Sessions', [...spans, ...buttons])
    })
    // Who holds a mark by the keyboard keeps it.
    const focused = document.activeElement
    this.#lanes.replaceChildren(this.#stateRow(bands), ...rows)
    if (focused instanceof HTMLElement && this.#lanes.contains(focused)) focused.focus()
  }

  /** @param {Node[]} bands */
  #stateRow(bands) {
    const states = row('State', bands)
    const track = states.lastElementChild
    states.addEventListener('pointermove', ({ clientX }) => {
      const { left = 0, width = 1 } = track?.getBoundingClientRect() ?? {}
      if (clientX >= left) this.#looks.pointed((clientX - left) / width)
    })
    return states
  }

  /**
   * @param {Mark} mark
   * @param {string} source
   * @param {ReadonlyMap<string, HTMLButtonElement>} known
   * @param {Span} hour
   */
  #buttonOf(mark, source, known, hour) {
    const key = `${source} ${mark.atMs} ${mark.kind}`
    const button = known.get(key) ?? this.#newButton(mark)
    this.#marks.set(key, button)
    return placed(button, { fromMs: mark.atMs, toMs: mark.atMs }, hour)
  }

  /** @param {Mark} mark */
  #newButton(mark) {
    const button = element('button', 'mark')
    button.type = 'button'
    button.dataset['kind'] = mark.kind
    button.setAttribute('aria-label', mark.words)
    for (const type of ['pointerenter', 'focus', 'click']) {
      button.addEventListener(type, () => this.#looks.mark(mark))
    }
    return button
  }
}

/**
 * @param {string} name
 * @param {Node[]} children
 */
function row(name, children) {
  const label = element('span', 'label', [new Text(name)])
  return element('div', 'lane', [label, element('div', 'track', children)])
}

/** @param {StateSpan} span */
function bandOf({ state }) {
  const band = element('span', 'band')
  band.dataset['state'] = state
  return band
}

/**
 * @template {HTMLElement} E
 * @param {E} part
 * @param {Span} span
 * @param {Span} hour
 */
function placed(part, { fromMs, toMs }, hour) {
  const share = (/** @type {number} */ ms) =>
    Math.min(1, Math.max(0, (ms - hour.fromMs) / (hour.toMs - hour.fromMs)))
  const from = share(fromMs)
  part.style.left = `${100 * from}%`
  if (toMs > fromMs) part.style.width = `${100 * (share(toMs) - from)}%`
  return part
}
