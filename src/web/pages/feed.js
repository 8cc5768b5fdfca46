// @ts-check
import { Refused } from './refusal.js'

/**
 * What the gateway says of one stream. Times in milliseconds since 1970, `targetDuration` in seconds.
 *
 * @typedef {object} FeedStream
 * @property {string} name
 * @property {'idle' | 'starting' | 'live' | 'stale' | 'slate' | 'offline' | 'ended' | 'failed' | 'unknown'} state
 * @property {string | null} reason
 * @property {number | null} since
 * @property {'camera' | 'backup' | 'slate' | null} source
 * @property {number | null} lastFragmentAt
 * @property {number | null} targetDuration
 * @property {('video' | 'audio')[]} renditions   what the newest segments consist of; empty while there are none
 * @property {Past} past
 *
 * What there is besides the live picture: seeking at once so far back, any earlier time, files to keep.
 *
 * @typedef {{ dvrMs: number, archive: boolean, clip: boolean }} Past
 */

/**
 * @typedef {object} FeedAnswer
 * @property {number} now
 * @property {string} version
 * @property {FeedStream[]} streams
 */

/**
 * @typedef {object} FeedPorts
 * @property {(signal: AbortSignal) => Promise<FeedAnswer>} read
 * @property {(ms: number, signal: AbortSignal) => Promise<void>} sleep   resolves early when woken or aborted
 * @property {(answer: FeedAnswer, sentMs: number) => void} onAnswer
 * @property {(error: unknown) => void} onTrouble
 * @property {() => number} now
 * @property {() => number} random   in [0, 1)
 */

const CALM_MS = 2000
const STARTING_MS = 500
/** A lost camera's return should be seen within about one of its fragments. */
const LOST_MS = 1000
const LONGEST_MS = 5000
/** What has expired does not come back by itself; who signs in again is seen a minute later. */
const REFUSED_MS = 60_000
const DEADLINE_MS = 8000

/**
 * Asks for the state of all streams of the page, one request at a time, until the signal aborts.
 *
 * @param {FeedPorts} ports
 * @param {AbortSignal} signal
 */
export async function followFeed(ports, signal) {
  let failures = 0
  let refused = false
  /** @type {readonly FeedStream[]} */
  let streams = []
  while (!signal.aborted) {
    try {
      const sentMs = ports.now()
      const answer = await ports.read(AbortSignal.timeout(DEADLINE_MS))
      failures = 0
      refused = false
      streams = answer.streams
      ports.onAnswer(answer, sentMs)
    } catch (error) {
      if (signal.aborted) return
      failures += 1
      refused = error instanceof Refused
      ports.onTrouble(error)
    }
    const pause = refused ? REFUSED_MS : feedPause(streams, failures, ports.random)
    await ports.sleep(pause, signal)
  }
}

/**
 * How long to wait before asking again: soon while a camera starts or is lost, longer and longer while nobody answers,
 * never in step with the other walls of the building.
 *
 * @param {readonly FeedStream[]} streams   of the last answer
 * @param {number} failures                 since then
 * @param {() => number} random
 * @returns {number} milliseconds
 */
export function feedPause(streams, failures, random) {
  const ceiling =
    failures === 0
      ? Math.min(CALM_MS, ...streams.map(pauseFor))
      : Math.min(LONGEST_MS, 1000 * 2 ** Math.min(failures, 10))
  return ceiling * (0.75 + 0.25 * random())
}

/** @param {FeedStream} stream */
function pauseFor({ state }) {
  if (state === 'idle' || state === 'starting') return STARTING_MS
  return state === 'stale' || state === 'offline' ? LOST_MS : CALM_MS
}
