// @ts-check
import { element, setData, setText } from './dom.js'
import { listedStatus } from './listed-status.js'
import { showPreview } from './preview.js'
import { Refused, readAnswer } from './refusal.js'
import { renewFor } from './renewal.js'

/** @typedef {import('./feed.js').FeedAnswer} FeedAnswer */
/** @typedef {import('./feed.js').FeedStream} FeedStream */

const READ_EVERY_MS = 3000
/** What has expired does not come back by itself. */
const REFUSED_MS = 60_000
const READ_WITHIN_MS = 10_000
/** Each takes a decoder for a moment, and of those a phone has few. */
const MOST_PREVIEWS = 2

/** The list of all streams. It reads how they are and starts none of them. */
class StreamList {
  #version = new URL(import.meta.url).pathname.split('/').at(-2) ?? ''
  /** @type {Map<string, Entry>} */
  #entries = new Map()
  #list = partOf('streams')
  #empty = partOf('empty')
  #lost = partOf('lost')
  #noContact = this.#lost.textContent
  /** @type {Set<Entry>} */
  #awaiting = new Set()
  #previews = 0

  async run() {
    for (;;) {
      const trouble = await this.#read().catch((error) => error)
      if (trouble !== undefined) this.#noteTrouble(trouble)
      const pause = trouble instanceof Refused ? REFUSED_MS : READ_EVERY_MS
      await new Promise((resolve) => setTimeout(resolve, pause))
    }
  }

  async #read() {
    if (document.hidden) return
    const signal = AbortSignal.timeout(READ_WITHIN_MS)
    const response = await fetch('web/streams', { signal, cache: 'no-store' })
    const answer = await readAnswer(response)
    this.#show(answer)
    this.#lost.hidden = true
    renewFor(this.#version, answer.version, Math.random)
  }

  /** @param {unknown} trouble */
  #noteTrouble(trouble) {
    console.debug('streams', trouble)
    const refused = trouble instanceof Refused
    if (refused) this.#show({ streams: [], now: 0, version: this.#version })
    if (refused) this.#empty.hidden = true
    setText(this.#lost, refused ? trouble.message : this.#noContact)
    this.#lost.hidden = false
  }

  /** @param {FeedAnswer} answer */
  #show({ streams, now }) {
    const names = new Set(streams.map(({ name }) => name))
    for (const [name, entry] of this.#entries) {
      if (names.has(name)) continue
      entry.root.remove()
      this.#entries.delete(name)
    }
    for (const stream of streams) {
      const entry = this.#entries.get(stream.name) ?? this.#add(stream.name)
      entry.update(stream, now)
      if (entry.wantsPreview) this.#awaiting.add(entry)
    }
    this.#empty.hidden = streams.length > 0
    this.#preview()
  }

  /** @param {string} name */
  #add(name) {
    const entry = new Entry(name)
    this.#entries.set(name, entry)
    this.#list.append(entry.root)
    return entry
  }

  #preview() {
    for (const entry of this.#awaiting) {
      if (this.#previews >= MOST_PREVIEWS) return
      this.#awaiting.delete(entry)
      if (!entry.wantsPreview) continue
      this.#previews += 1
      void entry.preview().finally(() => {
        this.#previews -= 1
        this.#preview()
      })
    }
  }
}

/** One stream of the list. */
class Entry {
  #name
  #running = false
  #previewed = false
  #frame = element('div', 'picture')
  #state = element('span', 'state')
  #link

  /** @param {string} name */
  constructor(name) {
    this.#name = name
    const title = element('span', 'name', [new Text(name)])
    this.#link = element('a', 'stream', [
      this.#frame,
      element('div', 'words', [title, this.#state]),
    ])
    this.#link.href = `play/${encodeURIComponent(name)}`
    this.root = element('li', '', [this.#link])
  }

  /** @param {FeedStream} stream @param {number} now */
  update(stream, now) {
    const { tone, words } = listedStatus(stream, now)
    setText(this.#state, words)
    setData(this.#link, 'tone', tone)
    this.#running = stream.state === 'live' && stream.renditions.includes('video')
  }

  /** Once, of a stream that runs anyhow: asking again and again would keep it running. */
  get wantsPreview() {
    return this.#running && !this.#previewed
  }

  async preview() {
    this.#previewed = true
    await showPreview(this.#frame, `hls/${encodeURIComponent(this.#name)}/master.m3u8`)
  }
}

/** @param {string} id */
function partOf(id) {
  const found = document.getElementById(id)
  if (found === null) throw new Error(`the page lacks #${id}`)
  return found
}

await new StreamList().run()
