// @ts-check
import { Attention } from './attention.js'
import { setText } from './dom.js'
import { followFeed } from './feed.js'
import Hls from './hls.mjs'
import { hlsEngine } from './hls-engine.js'
import { handleKey } from './keys.js'
import { nativeEngine } from './native-engine.js'
import { feedUrl, placeOf, playlistUrl } from './place.js'
import { renewFor } from './renewal.js'
import { ServerClock } from './server-clock.js'
import { Tile } from './tile.js'
import { clockTime } from './times.js'
import { WakeableSleep } from './wakeable-sleep.js'
import { Wall } from './wall.js'

/** The player page and the wall: one feed, one clock and one timer for all their tiles. */

const LOOK_EVERY_MS = 500
/** The feed asks each two seconds; this many without an answer is worth a word. */
const OUT_OF_CONTACT_MS = 7000
/** Without a feed the tiles start on their own, one after the other. */
const FEEDLESS_AFTER_MS = 5000
const FEEDLESS_STEP_MS = 300

const VERSION = new URL(import.meta.url).pathname.split('/').at(-2) ?? ''
const { root, names } = placeOf(location.pathname, location.search)
const single = document.body.dataset['page'] === 'play'
const monotonic = () => performance.now()
const random = Math.random

/** @param {string} id */
function byId(id) {
  const found = document.getElementById(id)
  if (found === null) throw new Error(`the page lacks #${id}`)
  return found
}

const announcer = byId('announcer')
const banner = byId('banner')
const empty = byId('empty')

const clock = new ServerClock()
const pause = new WakeableSleep()
const attention = new Attention(monotonic, () => {
  pause.wake()
  hurry()
})

/** @type {import('./player.js').PlayerOptions['makeEngine']} */
const makeEngine = (options) =>
  Hls.isSupported() ? hlsEngine(Hls, options) : nativeEngine(options)

const wall = new Wall(byId('wall'), { pinned: single, makeTile })

/** @param {string} name */
function makeTile(name) {
  /** @type {Tile} */
  const tile = new Tile({
    name,
    url: playlistUrl(root, name),
    makeEngine,
    random,
    soundReady: single,
    onOpen: () => (single ? tile.toggleSound() : wall.toggle(name)),
    onSound: (sound) => {
      if (sound) hush(tile)
    },
    announce: (text) => setText(announcer, text),
  })
  return tile
}

/** One voice at a time. @param {Tile} speaker */
function hush(speaker) {
  for (const tile of wall.tiles) if (tile !== speaker) tile.sound = false
}

function hurry() {
  for (const tile of wall.tiles) tile.hurry()
}

let contactAt = monotonic()
let contactLost = false
let debug = false

/** @param {AbortSignal} signal @returns {Promise<import('./feed.js').FeedAnswer>} */
async function readFeed(signal) {
  // no-store: a clock that comes out of a cache is wrong by the time it lay there.
  const response = await fetch(feedUrl(root, names), { signal, cache: 'no-store' })
  if (!response.ok) throw new Error(`the feed answered ${response.status}`)
  return response.json()
}

/** @param {import('./feed.js').FeedAnswer} answer @param {number} sentMs */
function onAnswer(answer, sentMs) {
  clock.sample(sentMs, Date.now(), answer.now)
  contactAt = monotonic()
  const shown = names.length > 0 ? names : answer.streams.map(({ name }) => name)
  wall.show(shown)
  wall.update(answer.streams)
  empty.hidden = shown.length > 0
  if (contactLost) hurry()
  contactLost = false
  renewFor(VERSION, answer.version, random)
}

function showContact() {
  const silentMs = monotonic() - contactAt
  if (silentMs > OUT_OF_CONTACT_MS && !attention.absent) contactLost = true
  banner.hidden = !contactLost
  if (!contactLost) return
  const now = clock.at(Date.now())
  setText(
    banner,
    `No contact with the gateway since ${clockTime(now - silentMs, now)}. Trying again.`,
  )
}

function look() {
  const now = monotonic()
  const serverNow = clock.at(Date.now())
  const silentMs = now - contactAt
  wall.tiles.forEach((tile, index) => {
    const silentFeed = silentMs > FEEDLESS_AFTER_MS + index * FEEDLESS_STEP_MS
    const wanted = !attention.absent || tile.sounding
    tile.tick({ now, serverNow, wanted, silentFeed, debug })
  })
  showContact()
  attention.tick()
}

document.addEventListener('keydown', (event) => {
  handleKey(event, wall, {
    toggleDebug: () => {
      debug = !debug
      look()
    },
  })
})

if (names.length > 0) wall.show(names)
const only = names[0]
document.title = single && only !== undefined ? only : 'Wall'
setInterval(look, LOOK_EVERY_MS)

/** While the page rests it does not ask either, or its cameras would never stop. */
const restful = () => attention.absent && !wall.tiles.some(({ sounding }) => sounding)
await followFeed(
  {
    read: readFeed,
    sleep: (ms, signal) => pause.sleep(restful() ? Number.POSITIVE_INFINITY : ms, signal),
    onAnswer,
    onTrouble: (error) => console.debug('feed', error),
    now: Date.now,
    random,
  },
  new AbortController().signal,
)
