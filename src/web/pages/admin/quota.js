// @ts-check
import { element, setText } from '../dom.js'
import { percentInWords } from './units.js'

/** From here on little is left, and the gateway waits for its turn now and then. */
const NEAR = 0.8

/** @typedef {import('./answers.js').StreamStatus} StreamStatus */

/** How much of the KVS points that a stream may take is left. */
export class Quota {
  #bars = [new Bar('metadata'), new Bar('media')]
  root = element(
    'div',
    'quota',
    this.#bars.map(({ root }) => root),
  )

  /** @param {StreamStatus['quota']} quota */
  show(quota) {
    this.root.hidden = quota === null
    if (quota === null) return
    for (const bar of this.#bars) bar.show(quota[bar.kind])
  }
}

class Bar {
  #used = element('span', 'used')
  #words = element('span', 'value')
  #meter = element('div', 'meter', [this.#used])

  /** @param {'metadata' | 'media'} kind */
  constructor(kind) {
    this.kind = kind
    const label = element('span', 'label', [new Text(`KVS points, ${kind}`)])
    this.#meter.setAttribute('role', 'meter')
    this.#meter.setAttribute('aria-label', `KVS points, ${kind}: used`)
    this.#meter.setAttribute('aria-valuemin', '0')
    this.#meter.setAttribute('aria-valuemax', '100')
    this.root = element('div', 'bar', [element('div', 'head', [label, this.#words]), this.#meter])
  }

  /** @param {number} usedRatio */
  show(usedRatio) {
    const used = Math.min(1, usedRatio)
    this.#used.style.width = `${100 * used}%`
    this.root.classList.toggle('near', used >= NEAR)
    this.#meter.setAttribute('aria-valuenow', String(Math.round(100 * used)))
    setText(this.#words, `${percentInWords(1 - used)} left`)
  }
}
