// @ts-check
import { element, setText } from '../dom.js'
import { clockTime } from '../times.js'
import { eventInWords } from './event-words.js'

/** @typedef {import('./answers.js').GatewayEvent} GatewayEvent */

const MOST_EVENTS = 200
/** A browser asks again by itself when a connection is cut, but not when it was refused. */
const AGAIN_MS = 10_000

/** What happened, the newest first, as the gateway tells it. */
export class EventList {
  #list = element('ol', 'events')
  #none = element('p', 'none', [new Text('Nothing yet.')])
  /** @type {Set<string>} */
  #known = new Set()
  #onSubject

  /** @param {(subject: string) => void} onSubject   called with the stream of an event that somebody presses */
  constructor(onSubject) {
    this.#onSubject = onSubject
    this.#list.tabIndex = 0
    this.#list.setAttribute('aria-label', 'Events')
    this.root = element('div', '', [this.#none, this.#list])
  }

  follow() {
    const source = new EventSource('api/v1/events')
    const tell = (/** @type {MessageEvent<string>} */ message) =>
      this.#add(JSON.parse(message.data))
    source.addEventListener('message', tell)
    source.addEventListener('error', () => {
      if (source.readyState !== EventSource.CLOSED) return
      setText(this.#none, 'Events cannot be read now.')
      setTimeout(() => this.follow(), AGAIN_MS)
    })
  }

  /** @param {GatewayEvent} event */
  #add(event) {
    if (this.#known.has(event.id)) return
    this.#known.add(event.id)
    this.#none.hidden = true
    this.#list.prepend(this.#entryOf(event))
    if (this.#list.children.length > MOST_EVENTS) this.#list.lastElementChild?.remove()
  }

  /** @param {GatewayEvent} event */
  #entryOf(event) {
    const { tone, words } = eventInWords(event)
    const at = element('time', '', [new Text(clockTime(Date.parse(event.time), Date.now()))])
    at.dateTime = event.time
    const subject = event.subject === undefined ? [] : [this.#subjectOf(event.subject, event.type)]
    const entry = element('li', '', [at, element('div', '', [...subject, new Text(words)])])
    entry.dataset['tone'] = tone
    entry.dataset['type'] = event.type
    return entry
  }

  /** @param {string} subject @param {string} type */
  #subjectOf(subject, type) {
    if (type.startsWith('node.')) return element('b', '', [new Text(subject)])
    const button = element('button', 'subject', [new Text(subject)])
    button.type = 'button'
    button.addEventListener('click', () => this.#onSubject(subject))
    return button
  }
}
