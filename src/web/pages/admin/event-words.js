// @ts-check

import { spanInWords } from '../times.js'
import { percentInWords } from './units.js'

/** @typedef {import('./answers.js').GatewayEvent} GatewayEvent */

/**
 * What happened, in words, and how much it matters.
 *
 * @typedef {{ tone: 'good' | 'note' | 'bad', words: string }} EventWords
 */

/** @type {ReadonlyMap<string, (data: Record<string, unknown>) => EventWords>} */
const EVENTS = new Map([
  ['stream.lost', ({ reason }) => bad('Nothing comes any more', reason)],
  ['stream.back', ({ goneSeconds }) => good('Is back', goneSeconds, 'away for ')],
  ['stream.failed', ({ code }) => bad('Failed', code)],
  ['source.switched', ({ from, to, forced }) => note(`${to} instead of ${from}`, forced)],
  ['session.failed', ({ attempts, code }) => bad(`${attempts} sessions could not be opened`, code)],
  ['quota.near', ({ kind, usedRatio }) => bad(`Needs ${ratio(usedRatio)} of its ${kind} points`)],
  ['auth.refused', refused],
  ['limit.reached', ({ limit, count }) => bad(`${limit} turned ${viewers(count)} away`)],
  ['config.reloaded', reloaded],
  ['node.joined', () => good('Joined')],
  ['node.left', () => bad('Left')],
])

/** The types that have words here. */
export const EVENT_TYPES = [...EVENTS.keys()]

/**
 * @param {GatewayEvent} event
 * @returns {EventWords}
 */
export function eventInWords({ type, data = {} }) {
  // A later gateway may tell of more than this page knows.
  return EVENTS.get(type)?.(data) ?? { tone: 'note', words: type }
}

/**
 * @param {string} words
 * @param {unknown} [why]
 * @returns {EventWords}
 */
function bad(words, why) {
  return { tone: 'bad', words: typeof why === 'string' ? `${words}: ${why}` : words }
}

/**
 * @param {string} words
 * @param {unknown} [seconds]
 * @param {string} [before]
 * @returns {EventWords}
 */
function good(words, seconds, before = '') {
  const span = typeof seconds === 'number' ? `, ${before}${spanInWords(1000 * seconds)}` : ''
  return { tone: 'good', words: `${words}${span}` }
}

/**
 * @param {string} words
 * @param {unknown} [forced]
 * @returns {EventWords}
 */
function note(words, forced) {
  return { tone: 'note', words: forced === true ? `${words}, by order` : words }
}

/** @param {unknown} value */
function ratio(value) {
  return typeof value === 'number' ? percentInWords(value) : 'almost all'
}

/** @param {unknown} count */
function viewers(count) {
  return count === 1 ? '1 request' : `${count} requests`
}

/**
 * @param {Record<string, unknown>} data
 * @returns {EventWords}
 */
function refused({ listener, count, code }) {
  const where = listener === 'admin' ? ' by the admin listener' : ''
  return note(`${viewers(count)} refused${where}: ${code}`)
}

/**
 * @param {Record<string, unknown>} data
 * @returns {EventWords}
 */
function reloaded({ applied, faults }) {
  if (applied === true) return { tone: 'good', words: 'The configuration was read again' }
  const count = faults === 1 ? '1 fault' : `${faults} faults`
  return { tone: 'bad', words: `The configuration has ${count}: nothing changed` }
}
