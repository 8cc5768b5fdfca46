// @ts-check
import { element, setText } from '../dom.js'
import { readNodes, readStreams } from './answers.js'
import { EventList } from './event-list.js'
import { totalsOf } from './figures.js'
import { isWanted } from './filter.js'
import { FilterBar } from './filter-bar.js'
import { nodesTable } from './nodes-table.js'
import { hashOf, openedIn } from './opened.js'
import { Reload } from './reload.js'
import { StreamView } from './stream-view.js'

/** @typedef {import('./answers.js').StreamStatus} StreamStatus */

const EVERY_MS = 2000
const NODES_EVERY_MS = 10_000

/** The page: asks how all streams are every two seconds. Without an answer the old ones stay, dimmed, and say how old they are. */
class Dashboard {
  /** @type {Map<string, StreamView>} */
  #views = new Map()
  #filter = new FilterBar(() => this.#show())
  #events = new EventList((name) => this.#goTo(name))
  #opened = new Set(openedIn(location.hash))
  /** @type {StreamStatus[] | undefined} */
  #streams
  #now = Date.now()
  /** @type {import('./answers.js').NodeStatus[] | undefined} */
  #nodes
  #nodesAskedMs = Number.NEGATIVE_INFINITY
  #answeredAt = new Date()
  /** @type {Promise<void> | undefined} */
  #refreshing

  constructor() {
    partOf('streams').before(this.#filter.root)
    const reload = new Reload(() => void this.refresh())
    partOf('places').append(reload.button)
    partOf('lost').after(reload.said)
    partOf('happened').append(this.#events.root)
  }

  async run() {
    this.#events.follow()
    for (;;) {
      if (!document.hidden) await this.refresh()
      await new Promise((resolve) => setTimeout(resolve, EVERY_MS))
    }
  }

  /** Looks once; who wants it meanwhile shares that look. */
  refresh() {
    this.#refreshing ??= this.#refresh().finally(() => {
      this.#refreshing = undefined
    })
    return this.#refreshing
  }

  async #refresh() {
    try {
      const { streams, now } = await readStreams()
      this.#streams = streams
      this.#now = now
      await this.#refreshNodes()
      this.#show()
      await Promise.all([...this.#views.values()].map((view) => view.refresh()))
      this.#answeredAt = new Date()
      this.#showContact(undefined)
    } catch (error) {
      console.debug('dashboard', error)
      this.#showContact(error)
    }
  }

  async #refreshNodes() {
    if (performance.now() - this.#nodesAskedMs < NODES_EVERY_MS) return
    this.#nodesAskedMs = performance.now()
    this.#nodes = await readNodes()
    // Whether there are several is not going to change.
    if (this.#nodes === undefined) this.#nodesAskedMs = Number.POSITIVE_INFINITY
    partOf('nodes').replaceChildren(...nodesTable(this.#nodes, this.#now))
  }

  #show() {
    const streams = this.#streams ?? []
    showTotals(totalsOf(streams))
    partOf('none').hidden = streams.length > 0
    partOf('streams').hidden = streams.length === 0
    this.#filter.show(streams)
    this.#drop(new Set(streams.map(({ name }) => name)))
    for (const status of streams) {
      const view = this.#views.get(status.name) ?? this.#add(status.name)
      view.show(status, this.#now, this.#nodes)
      view.root.hidden = !isWanted(status, this.#filter.filter)
    }
  }

  /** @param {ReadonlySet<string>} names   of the streams that there are */
  #drop(names) {
    for (const [name, view] of this.#views) {
      if (names.has(name)) continue
      view.root.remove()
      this.#views.delete(name)
    }
  }

  /** @param {string} name */
  #add(name) {
    const view = new StreamView(
      name,
      () => this.#noteOpened(),
      () => void this.refresh(),
    )
    this.#views.set(name, view)
    partOf('streams').append(view.root)
    if (this.#isToOpen(name)) view.open()
    return view
  }

  /**
   * Says whether the page's address names it, or there is no other.
   *
   * @param {string} name
   */
  #isToOpen(name) {
    if (this.#opened.size === 0) return this.#streams?.length === 1
    return this.#opened.has(name)
  }

  #noteOpened() {
    const names = [...this.#views].filter(([, view]) => view.isOpen).map(([name]) => name)
    this.#opened = new Set(names)
    history.replaceState(null, '', hashOf(names))
    this.#show()
    void this.refresh()
  }

  /** @param {string} name */
  #goTo(name) {
    const view = this.#views.get(name)
    if (view === undefined) return
    view.open()
    this.#noteOpened()
    view.root.scrollIntoView({ block: 'nearest' })
  }

  /** @param {unknown} trouble   undefined while all is well */
  #showContact(trouble) {
    const lost = trouble !== undefined
    document.body.classList.toggle('lost', lost)
    const banner = partOf('lost')
    banner.hidden = !lost
    const time = this.#answeredAt.toLocaleTimeString('en-GB')
    setText(banner, lost ? `No contact with the gateway since ${time}. Trying again.` : '')
  }
}

/** @param {readonly import('./figures.js').Labelled[]} totals */
function showTotals(totals) {
  const list = partOf('totals')
  if (list.children.length !== totals.length) {
    list.replaceChildren(
      ...totals.map(([label]) =>
        element('div', '', [element('dt', '', [new Text(label)]), element('dd', '')]),
      ),
    )
  }
  for (const [i, [, value]] of totals.entries()) {
    const cell = list.children[i]?.querySelector('dd')
    if (cell != null) setText(cell, value)
  }
}

/** @param {string} id */
function partOf(id) {
  const found = document.getElementById(id)
  if (found === null) throw new Error(`the page lacks #${id}`)
  return found
}

await new Dashboard().run()
