// @ts-check
import { element, setText } from '../dom.js'
import { actionsOf, sourcesOf } from './actions.js'
import { order } from './answers.js'
import { confirmed } from './confirm.js'

/**
 * @typedef {import('./answers.js').StreamStatus} StreamStatus
 * @typedef {import('./answers.js').NodeStatus} NodeStatus
 * @typedef {import('./actions.js').Action} Action
 */

/** What may be ordered of a stream, and what came of it. */
export class Controls {
  #stream
  #ordered
  #buttons = element('div', 'buttons')
  #sources = element('div', 'buttons sources')
  #said = element('p', 'said')
  #busy = false
  /** What the buttons were made of, so that they stay, and who holds one keeps it, while nothing changes. */
  #shown = ''

  /**
   * @param {string} stream
   * @param {() => void} ordered   called when the gateway has done something
   */
  constructor(stream, ordered) {
    this.#stream = stream
    this.#ordered = ordered
    this.#said.setAttribute('role', 'status')
    this.#sources.setAttribute('role', 'group')
    this.#sources.setAttribute('aria-label', 'Source')
    this.root = element('div', 'controls', [this.#buttons, this.#sources, this.#said])
  }

  /** @param {StreamStatus} status @param {readonly NodeStatus[]} [nodes] */
  show(status, nodes) {
    const actions = actionsOf(status, nodes)
    const sources = sourcesOf(status)
    const shown = JSON.stringify([actions, sources])
    if (shown === this.#shown) return
    this.#shown = shown
    const buttonsOf = (/** @type {Action[]} */ some) =>
      some.map((action) => this.#actionButton(action))
    replaceButtons(this.#buttons, buttonsOf(actions))
    replaceButtons(this.#sources, buttonsOf(sources))
    this.#sources.hidden = sources.length === 0
  }

  /** @param {Action} action */
  #actionButton({ id, label, done, ask, whyNot, body, chosen }) {
    const button = buttonOf(label, async () => {
      if (whyNot !== undefined) setText(this.#said, whyNot)
      else if (ask === undefined || (await confirmed(ask, label))) await this.#order(id, done, body)
    })
    if (chosen !== undefined) button.setAttribute('aria-pressed', String(chosen))
    // It stays reachable, so that it can say why it does not apply.
    if (whyNot !== undefined) {
      button.setAttribute('aria-disabled', 'true')
      button.title = whyNot
    }
    return button
  }

  /**
   * @param {string} action
   * @param {string} done
   * @param {object} [body]
   */
  async #order(action, done, body) {
    if (this.#busy) return
    this.#busy = true
    setText(this.#said, 'One moment …')
    try {
      await order(`streams/${encodeURIComponent(this.#stream)}/${action}`, body)
      setText(this.#said, done)
    } catch (error) {
      setText(this.#said, error instanceof Error ? error.message : String(error))
    } finally {
      this.#busy = false
      this.#ordered()
    }
  }
}

/**
 * @param {string} label
 * @param {() => Promise<void>} onPress
 */
function buttonOf(label, onPress) {
  const button = element('button', '', [new Text(label)])
  button.type = 'button'
  button.addEventListener('click', () => void onPress())
  return button
}

/** @param {HTMLElement} group @param {HTMLButtonElement[]} buttons */
function replaceButtons(group, buttons) {
  const focused = group.contains(document.activeElement)
    ? document.activeElement?.textContent
    : undefined
  group.replaceChildren(...buttons)
  if (focused !== undefined) buttons.find(({ textContent }) => textContent === focused)?.focus()
}
