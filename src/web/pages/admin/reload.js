// @ts-check
import { element } from '../dom.js'
import { order, Unanswered } from './answers.js'
import { confirmed } from './confirm.js'
import { refusalInWords, reportInWords } from './reload-words.js'

/** @typedef {import('./reload-words.js').ReloadWords} ReloadWords */

const QUESTION =
  'Read the configuration again and apply it? Streams whose settings did not change notice nothing; those that are gone end.'

/** The button that has the configuration read again, and what came of it. */
export class Reload {
  button = element('button', '', [new Text('Reload')])
  said = element('section', 'reloaded')
  #done
  #busy = false

  /** @param {() => void} done   called when it was read */
  constructor(done) {
    this.#done = done
    this.button.type = 'button'
    this.button.title = 'Read the configuration again'
    this.button.addEventListener('click', () => void this.#reload())
    this.said.setAttribute('role', 'status')
    this.said.hidden = true
  }

  async #reload() {
    if (this.#busy || !(await confirmed(QUESTION, 'Reload'))) return
    this.#busy = true
    this.#say({ tone: 'note', headline: 'One moment …', lines: [] })
    this.#say(await reloaded())
    this.#busy = false
    this.#done()
  }

  /** @param {ReloadWords} words */
  #say({ tone, headline, lines }) {
    const close = element('button', 'close', [new Text('Close')])
    close.type = 'button'
    close.addEventListener('click', () => {
      this.said.hidden = true
      this.button.focus()
    })
    const entries = lines.map((line) => element('li', '', [new Text(line)]))
    this.said.dataset['tone'] = tone
    this.said.replaceChildren(
      element('p', '', [new Text(headline)]),
      close,
      element('ul', '', entries),
    )
    this.said.hidden = false
  }
}

/** @returns {Promise<ReloadWords>} */
async function reloaded() {
  try {
    const report = await order('reload')
    return reportInWords(/** @type {import('./reload-words.js').ReloadReport} */ (report))
  } catch (error) {
    if (error instanceof Unanswered) return refusalInWords(error.message, error.faults)
    return refusalInWords(`Nobody knows whether it was read: ${String(error)}`, [])
  }
}
