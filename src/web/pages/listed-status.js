// @ts-check
import { statusOf } from './status.js'

/** @typedef {import('./feed.js').FeedStream} FeedStream */

/**
 * Says how a stream is, in a list where none of them plays.
 *
 * @param {FeedStream} stream
 * @param {number} now   the gateway's clock, milliseconds since 1970
 * @returns {{ tone: string, words: string }}
 */
export function listedStatus(stream, now) {
  if (stream.state === 'idle') return { tone: 'idle', words: 'Starts when somebody watches' }
  const playing = stream.state === 'live'
  const seen = { stream, now, held: false, playing, pictured: true, latencyMs: undefined }
  const { tone, label, headline, detail } = statusOf(seen)
  const words = [headline === '' ? label : headline, detail].filter((text) => text !== '')
  return { tone, words: words.join(' · ') }
}
