// @ts-check
import { element } from '../dom.js'
import { statesOf } from './filter.js'

/**
 * @typedef {import('./answers.js').StreamStatus} StreamStatus
 * @typedef {import('./filter.js').Filter} Filter
 */

/** From so many streams on they are looked for by name. */
const MANY = 8

/** Chooses which streams are shown: by state, and of many by name. */
export class FilterBar {
  #states = element('div', 'states')
  #text = element('input', 'name')
  #onChange
  #shown = ''
  /** @type {Filter} */
  filter = { text: '', state: undefined }

  /** @param {() => void} onChange */
  constructor(onChange) {
    this.#onChange = onChange
    this.#text.type = 'search'
    this.#text.placeholder = 'Find a stream'
    this.#text.setAttribute('aria-label', 'Find a stream')
    this.#text.hidden = true
    this.#text.addEventListener('input', () => this.#choose({ text: this.#text.value }))
    this.root = element('div', 'filter', [this.#states, this.#text])
  }

  /** @param {readonly StreamStatus[]} streams */
  show(streams) {
    const states = statesOf(streams)
    const isGone = states.every(({ state }) => state !== this.filter.state)
    if (isGone && this.filter.state !== undefined)
      this.filter = { ...this.filter, state: undefined }
    this.#text.hidden = streams.length < MANY
    this.root.hidden = states.length < 2 && this.#text.hidden
    const shown = JSON.stringify([states, this.filter.state])
    if (shown === this.#shown) return
    this.#shown = shown
    const focused = document.activeElement?.getAttribute('data-state')
    const chips = (states.length < 2 ? [] : states).map(({ state, count }) =>
      this.#chipOf(state, count),
    )
    this.#states.replaceChildren(...chips)
    chips.find(({ dataset }) => dataset['state'] === focused)?.focus()
  }

  /** @param {StreamStatus['state']} state @param {number} count */
  #chipOf(state, count) {
    const chip = element('button', 'chip', [
      element('span', 'state', [new Text(state)]),
      element('b', '', [new Text(String(count))]),
    ])
    chip.type = 'button'
    chip.dataset['state'] = state
    const isChosen = this.filter.state === state
    chip.setAttribute('aria-pressed', String(isChosen))
    chip.addEventListener('click', () => this.#choose({ state: isChosen ? undefined : state }))
    return chip
  }

  /** @param {Partial<Filter>} chosen */
  #choose(chosen) {
    this.filter = { ...this.filter, ...chosen }
    this.#onChange()
  }
}
