// @ts-check
import { element, setData, setText } from '../dom.js'
import { reasonInWords } from '../reason.js'
import { readHistory } from './answers.js'
import { Controls } from './controls.js'
import { factsOf, figuresOf, notesOf } from './figures.js'
import { Hour } from './hour.js'
import { Quota } from './quota.js'

/**
 * @typedef {import('./answers.js').StreamStatus} StreamStatus
 * @typedef {import('./answers.js').NodeStatus} NodeStatus
 * @typedef {import('./figures.js').Labelled} Labelled
 */

const HISTORY_EVERY_MS = 10_000
/** What was ordered is a mark within seconds, and somebody waits to see it. */
const EAGER_MS = 15_000
const EAGER_EVERY_MS = 1000

/** One stream: a row that opens. What is behind it is made when it is opened first, and asked for while it can be seen. */
export class StreamView {
  #name
  #changed
  #ordered
  #state = element('span', 'state')
  #notes = element('small', 'notes')
  #figures = new Values('td')
  #toggle = element('button', 'toggle')
  #row
  #cell = element('td', '')
  #detail = element('tr', 'detail', [this.#cell])
  /** @type {Detail | undefined} */
  #opened
  #askedMs = Number.NEGATIVE_INFINITY
  #orderedMs = Number.NEGATIVE_INFINITY
  /** @type {StreamStatus | undefined} */
  #status
  #now = 0

  /**
   * @param {string} name
   * @param {() => void} changed   called when it was opened or closed
   * @param {() => void} ordered   called when the gateway has done something
   */
  constructor(name, changed, ordered) {
    this.#name = name
    this.#changed = changed
    this.#ordered = ordered
    this.#toggle.type = 'button'
    this.#toggle.append(new Text(name))
    const head = element('th', '', [this.#toggle])
    head.scope = 'row'
    this.#row = element('tr', 'summary', [head, element('td', 'how', [this.#state, this.#notes])])
    // All of it, as a thumb is not exact; the button in it is for the keyboard, and for who listens.
    this.#row.addEventListener('click', () => this.#turn())
    this.#detail.hidden = true
    this.root = element('tbody', 'stream', [this.#row, this.#detail])
    this.#showOpen()
  }

  get isOpen() {
    return !this.#detail.hidden
  }

  open() {
    if (this.isOpen) return
    this.#opened ??= this.#makeDetail()
    this.#detail.hidden = false
    this.#askedMs = Number.NEGATIVE_INFINITY
    this.#showOpen()
  }

  /** @param {StreamStatus} status @param {number} now @param {readonly NodeStatus[]} [nodes] */
  show(status, now, nodes) {
    this.#status = status
    this.#now = now
    setData(this.root, 'state', status.state)
    setText(this.#state, status.state)
    setText(this.#notes, notesOf(status).join(' · '))
    const cells = this.#figures.show(figuresOf(status, now))
    if (cells !== undefined) this.#row.append(...cells)
    this.#cell.colSpan = this.#row.cells.length
    if (this.isOpen) this.#opened?.show(status, now, nodes)
  }

  /** Asks for the last hour, if it is open, can be seen, and has not been asked for lately. */
  async refresh() {
    if (!this.isOpen || this.#opened === undefined || !isOnScreen(this.root)) return
    const nowMs = performance.now()
    const everyMs = nowMs - this.#orderedMs < EAGER_MS ? EAGER_EVERY_MS : HISTORY_EVERY_MS
    if (nowMs - this.#askedMs < everyMs) return
    this.#askedMs = nowMs
    const history = await readHistory(this.#name)
    this.#opened.hour.show(history, this.#now, openSessionOf(this.#status))
  }

  #turn() {
    if (this.isOpen) this.#detail.hidden = true
    else this.open()
    this.#showOpen()
    this.#changed()
  }

  #showOpen() {
    this.#toggle.setAttribute('aria-expanded', String(this.isOpen))
    this.root.classList.toggle('open', this.isOpen)
  }

  #makeDetail() {
    const ordered = () => {
      this.#orderedMs = performance.now()
      this.#ordered()
    }
    const detail = new Detail(this.#name, ordered)
    this.#cell.append(detail.root)
    return detail
  }
}

/** What there is to know of a stream, and to do. */
class Detail {
  #why = element('p', 'why')
  #facts = new Facts()
  #quota = new Quota()
  #controls

  /** @param {string} name @param {() => void} ordered */
  constructor(name, ordered) {
    this.hour = new Hour(name)
    this.#controls = new Controls(name, ordered)
    this.root = element('div', 'panel', [
      this.#why,
      this.hour.root,
      element('div', 'more', [this.#facts.root, this.#quota.root, this.#controls.root]),
    ])
  }

  /** @param {StreamStatus} status @param {number} now @param {readonly NodeStatus[]} [nodes] */
  show(status, now, nodes) {
    setText(this.#why, reasonInWords(status.reason))
    this.#why.hidden = status.reason === null
    this.#facts.show(factsOf(status, now))
    this.#quota.show(status.quota)
    this.#controls.show(status, nodes)
  }
}

/** Labelled values, whose elements stay as long as their labels do. */
class Values {
  #tag
  #labels = ''
  /** @type {HTMLElement[]} */
  #cells = []

  /** @param {'td' | 'dd'} tag */
  constructor(tag) {
    this.#tag = tag
  }

  /**
   * @param {readonly Labelled[]} values
   * @returns {HTMLElement[] | undefined}   elements that are new and take the place of the old ones
   */
  show(values) {
    const labels = values.map(([label]) => label).join('\n')
    const isNew = labels !== this.#labels
    if (isNew) {
      this.#labels = labels
      for (const cell of this.#cells) cell.remove()
      this.#cells = values.map(([label]) => {
        const cell = element(this.#tag, '')
        cell.dataset['label'] = label
        return cell
      })
    }
    for (const [i, [, value]] of values.entries()) {
      const cell = this.#cells[i]
      if (cell !== undefined) setText(cell, value)
    }
    return isNew ? this.#cells : undefined
  }
}

/** Facts as a list of terms. */
class Facts {
  #values = new Values('dd')
  root = element('dl', 'facts')

  /** @param {readonly Labelled[]} facts */
  show(facts) {
    const cells = this.#values.show(facts)
    if (cells === undefined) return
    this.root.replaceChildren(
      ...cells.map((cell) => {
        const label = element('dt', '', [new Text(cell.dataset['label'] ?? '')])
        return element('div', '', [label, cell])
      }),
    )
  }
}

/** @param {StreamStatus | undefined} status */
function openSessionOf(status) {
  if (status === undefined || status.session === null) return undefined
  const source = status.source === 'backup' ? 'backup' : 'camera'
  return { source, openedMs: Date.parse(status.session.openedAt) }
}

/** @param {Element} part */
function isOnScreen(part) {
  const { top, bottom } = part.getBoundingClientRect()
  return bottom > 0 && top < innerHeight
}
