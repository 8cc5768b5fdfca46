// @ts-check
import { element, setText } from '../dom.js'
import { HEIGHT, pathsOf, piecesOf, topOf, WIDTH } from './plot-line.js'
import { svgElement } from './svg.js'

/**
 * @typedef {import('./answers.js').StreamHistory} StreamHistory
 *
 * @typedef {object} Kind
 * @property {string} label
 * @property {(history: StreamHistory) => readonly (number | null)[]} valuesOf
 * @property {(value: number) => string} inWords
 * @property {number} least   what the scale ends at, at least, so that little does not look like much
 */

/** One small plot: a figure of the last hour, and what it is now or at the cursor. */
export class Plot {
  #kind
  #value = element('output', 'value')
  #top = element('span', 'top')
  #line = svgElement('path', { class: 'line' })
  #area = svgElement('path', { class: 'area' })
  #cursor = element('i', 'cursor')
  /** @type {readonly (number | null)[]} */
  #values = []

  /** @param {Kind} kind */
  constructor(kind) {
    this.#kind = kind
    const size = { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, preserveAspectRatio: 'none' }
    const svg = svgElement('svg', { ...size, 'aria-hidden': 'true' }, [this.#area, this.#line])
    this.canvas = element('div', 'canvas', [svg, this.#top, this.#cursor])
    const label = element('span', 'label', [new Text(kind.label)])
    this.root = element('div', 'plot', [element('div', 'head', [label, this.#value]), this.canvas])
  }

  /**
   * @param {StreamHistory} history
   * @param {readonly number[]} at
   * @param {{ fromMs: number, toMs: number }} hour
   * @param {number} gapMs
   */
  show(history, at, hour, gapMs) {
    this.#values = this.#kind.valuesOf(history)
    const max = topOf(this.#values, this.#kind.least)
    const { line, area } = pathsOf(piecesOf({ at, values: this.#values }, gapMs), { ...hour, max })
    this.#line.setAttribute('d', line)
    this.#area.setAttribute('d', area)
    setText(this.#top, this.#kind.inWords(max))
  }

  /**
   * Tells the figure of a point, and where in the hour it is.
   *
   * @param {number} index              of the point
   * @param {number | undefined} share  of the hour that has passed by then; undefined hides the cursor
   */
  point(index, share) {
    const value = this.#values[index]
    setText(this.#value, value === undefined || value === null ? '–' : this.#kind.inWords(value))
    this.#cursor.hidden = share === undefined
    if (share !== undefined) this.#cursor.style.left = `${100 * share}%`
  }
}
