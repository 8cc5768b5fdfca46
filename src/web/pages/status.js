// @ts-check
import { reasonInWords } from './reason.js'
import { clockTime, latencyInWords, spanInWords } from './times.js'

/** @typedef {import('./feed.js').FeedStream} FeedStream */

/**
 * What a tile says. `headline` stands over the picture, `label` beside the stream's name.
 *
 * @typedef {object} Status
 * @property {'live' | 'still' | 'past' | 'late' | 'slate' | 'stale' | 'offline' | 'starting' | 'failed'} tone
 * @property {string} label
 * @property {string} headline   empty: leave the picture alone
 * @property {string} detail
 *
 * @typedef {object} Seen
 * @property {FeedStream | undefined} stream   the feed's newest entry; undefined before the first
 * @property {number} now                      the gateway's clock, milliseconds since 1970
 * @property {boolean} held                    it has a player by turns only
 * @property {boolean} playing                 the picture moves
 * @property {boolean} pictured                there is some picture on the tile
 * @property {number | undefined} latencyMs
 */

/**
 * @param {Seen} seen
 * @returns {Status}
 */
export function statusOf(seen) {
  const { stream } = seen
  if (stream === undefined) return starting('Connecting', '')
  switch (stream.state) {
    case 'live':
      return liveStatus(seen)
    case 'slate':
      return slateStatus(stream, seen.now)
    case 'stale':
      return staleStatus(stream, seen.now)
    case 'offline':
      return lost('offline', 'Offline since', stream, seen.now)
    case 'ended':
      return lost('offline', 'Ended at', stream, seen.now)
    case 'failed':
      return failed('Cannot be shown', reasonInWords(stream.reason))
    case 'unknown':
      return failed('No such stream', `There is no stream named “${stream.name}” here.`)
    default:
      return startingStatus(stream, seen.now)
  }
}

/**
 * Of a viewer who is back in time.
 *
 * @param {{ shownAt: number | undefined, playing: boolean, paused: boolean, pastTrouble: string }} player
 * @param {number} now
 * @returns {Status}
 */
export function pastStatus({ shownAt, playing, paused, pastTrouble }, now) {
  const at = shownAt ?? now
  const label = `${clockTime(at, now)} · ${spanInWords(now - at)} ago`
  if (pastTrouble !== '') return { tone: 'past', label, headline: pastTrouble, detail: '' }
  return { tone: 'past', label, headline: playing || paused ? '' : 'One moment', detail: '' }
}

/**
 * @param {Seen} seen
 * @returns {Status}
 */
function liveStatus({ stream, held, playing, pictured, latencyMs }) {
  if (held && pictured) return still(latencyMs)
  if (playing) {
    const latency = latencyMs === undefined ? [] : [latencyInWords(latencyMs)]
    const standIn = stream?.source === 'backup' ? ['backup'] : []
    return live(['Live', ...latency, ...standIn].join(' · '))
  }
  if (!pictured) return starting('Starting', '')
  return { tone: 'late', label: 'Reconnecting', headline: 'Reconnecting', detail: '' }
}

/**
 * @param {number | undefined} ageMs
 * @returns {Status}
 */
function still(ageMs) {
  const age = ageMs === undefined ? [] : [`${spanInWords(ageMs)} ago`]
  return { tone: 'still', label: ['Still', ...age].join(' · '), headline: '', detail: '' }
}

/**
 * The slate itself says that the camera is away, or what the operator wants to be said.
 *
 * @param {FeedStream} stream
 * @param {number} now
 * @returns {Status}
 */
function slateStatus(stream, now) {
  const label = `Away since ${clockTime(lossOf(stream, now), now)}`
  return { tone: 'slate', label, headline: '', detail: '' }
}

/**
 * @param {FeedStream} stream
 * @param {number} now
 * @returns {Status}
 */
function staleStatus(stream, now) {
  const lostAt = lossOf(stream, now)
  const headline = `No picture for ${spanInWords(now - lostAt)}`
  return { tone: 'stale', label: 'Stale', headline, detail: `since ${clockTime(lostAt, now)}` }
}

/**
 * @param {'stale' | 'offline'} tone
 * @param {string} words
 * @param {FeedStream} stream
 * @param {number} now
 * @returns {Status}
 */
function lost(tone, words, stream, now) {
  const headline = `${words} ${clockTime(lossOf(stream, now), now)}`
  return {
    tone,
    label: tone === 'stale' ? 'Stale' : 'Offline',
    headline,
    detail: reasonInWords(stream.reason),
  }
}

/**
 * @param {FeedStream} stream
 * @param {number} now
 * @returns {Status}
 */
function startingStatus({ since, reason }, now) {
  // A camera usually shows within seconds. Beyond that, say what we wait for.
  const waitedMs = since === null ? 0 : now - since
  if (waitedMs < 10_000) return starting('Starting', '')
  const why = reason === null ? 'Waiting for the first picture' : reasonInWords(reason)
  return starting('Starting', `${why} · ${spanInWords(waitedMs)}`)
}

/**
 * A viewer asks since when there is no picture, which is longer than the gateway has called it a loss.
 *
 * @param {FeedStream} stream
 * @param {number} now
 */
function lossOf({ lastFragmentAt, since }, now) {
  return lastFragmentAt ?? since ?? now
}

/**
 * @param {string} label
 * @returns {Status}
 */
function live(label) {
  return { tone: 'live', label, headline: '', detail: '' }
}

/**
 * @param {string} headline
 * @param {string} detail
 * @returns {Status}
 */
function starting(headline, detail) {
  return { tone: 'starting', label: '', headline, detail }
}

/**
 * @param {string} headline
 * @param {string} detail
 * @returns {Status}
 */
function failed(headline, detail) {
  return { tone: 'failed', label: '', headline, detail }
}
