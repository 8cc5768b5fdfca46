// @ts-check
import { element, setText } from '../dom.js'
import { clockTime } from '../times.js'
import { readEvents } from './answers.js'
import { EVENT_TYPES, eventInWords } from './event-words.js'

/** @typedef {import('./answers.js').GatewayEvent} GatewayEvent */

const MOST_EVENTS = 200
/** A browser asks again by itself when a connection is cut, but not when it was refused. */
const AGAIN_MS = 10_000

/** What happened, the newest first, as the gateway tells it. */
export class EventList {
  #list = element('ol', 'events')
  #none = element('p', 'none', [new Text('One moment …')])
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

  /** Shows what happened lately, and from then on what happens. */
  async follow() {
    try {
      const { events, lastEventId } = await readEvents()
      for (const event of events.slice(-MOST_EVENTS)) this.#add(event)
      setText(this.#none, 'Nothing yet.')
      this.#listen(lastEventId)
    } catch (error) {
      console.debug('events', error)
      this.#again()
    }
  }

  /** @param {string} after   the id of the newest event that is known */
  #listen(after) {
    const source = new EventSource(`api/v1/events?after=${encodeURIComponent(after)}`)
    const tell = (/** @type {MessageEvent<string>} */ { data }) => this.#add(JSON.parse(data))
    for (const type of EVENT_TYPES) source.addEventListener(type, tell)
    source.addEventListener('error', () => {
      if (source.readyState === EventSource.CLOSED) this.#again()
    })
  }

  #again() {
    setText(this.#none, 'Events cannot be read now.')
    setTimeout(() => void this.follow(), AGAIN_MS)
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
