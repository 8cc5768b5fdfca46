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
  /** By id, the oldest first. @type {Map<string, HTMLElement>} */
  #entries = new Map()
  #onSubject
  /** Ends the listening. */
  #leave = () => {}

  /** @param {(subject: string) => void} onSubject   called with the stream of an event that somebody presses */
  constructor(onSubject) {
    this.#onSubject = onSubject
    this.#list.tabIndex = 0
    this.#list.setAttribute('aria-label', 'Events')
    this.root = element('div', '', [this.#none, this.#list])
  }

  /** Shows what happened lately, and what happens while the page can be seen. */
  follow() {
    // A browser has six connections to a host, for all of its tabs.
    document.addEventListener('visibilitychange', () => {
      this.#leave()
      if (!document.hidden) void this.#follow()
    })
    void this.#follow()
  }

  async #follow() {
    const turn = new AbortController()
    this.#leave = () => turn.abort()
    try {
      const { events, lastEventId } = await readEvents()
      for (const event of events.slice(-MOST_EVENTS)) this.#add(event)
      setText(this.#none, 'Nothing yet.')
      if (!turn.signal.aborted) this.#listen(lastEventId, turn.signal)
    } catch (error) {
      console.debug('events', error)
      this.#again(turn.signal)
    }
  }

  /**
   * @param {string} after   the id of the newest event that is known
   * @param {AbortSignal} signal
   */
  #listen(after, signal) {
    const source = new EventSource(`api/v1/events?after=${encodeURIComponent(after)}`)
    signal.addEventListener('abort', () => source.close())
    const tell = (/** @type {MessageEvent<string>} */ { data }) => this.#add(JSON.parse(data))
    for (const type of EVENT_TYPES) source.addEventListener(type, tell)
    source.addEventListener('error', () => {
      if (source.readyState === EventSource.CLOSED) this.#again(signal)
    })
  }

  /** @param {AbortSignal} signal */
  #again(signal) {
    setText(this.#none, 'Events cannot be read now.')
    setTimeout(() => {
      if (!signal.aborted) void this.#follow()
    }, AGAIN_MS)
  }

  /** @param {GatewayEvent} event */
  #add(event) {
    if (this.#entries.has(event.id)) return
    const entry = this.#entryOf(event)
    this.#entries.set(event.id, entry)
    this.#none.hidden = true
    this.#list.prepend(entry)
    const [oldest] = this.#entries
    if (this.#entries.size <= MOST_EVENTS || oldest === undefined) return
    const [id, last] = oldest
    this.#entries.delete(id)
    last.remove()
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
