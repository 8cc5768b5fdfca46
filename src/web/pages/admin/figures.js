// @ts-check
import { spanInWords } from '../times.js'
import { bytesInWords, secondsInWords, usdInWords } from './units.js'

/** @typedef {import('./answers.js').StreamStatus} StreamStatus */
/** @typedef {readonly [label: string, value: string]} Labelled */

/**
 * The sum of all streams.
 *
 * @param {readonly StreamStatus[]} streams
 * @returns {Labelled[]}
 */
export function totalsOf(streams) {
  const total = (/** @type {(status: StreamStatus) => number} */ of) =>
    streams.reduce((sum, status) => sum + of(status), 0)
  return [
    ['Live', `${total(({ state }) => (state === 'live' ? 1 : 0))} of ${streams.length}`],
    ['Viewers', String(total(({ viewers }) => viewers))],
    ['From upstream', bytesInWords(total(({ upstream }) => upstream.bytes))],
    ['To players', bytesInWords(total(({ downstream }) => downstream.bytes))],
    ['Spent', usdInWords(total(({ spentUsd }) => spentUsd))],
    ['Saved', usdInWords(total(({ savedUsd }) => savedUsd))],
  ]
}

/**
 * What a stream's row tells, state apart.
 *
 * @param {StreamStatus} status
 * @param {number} now   the gateway's clock, milliseconds since 1970
 * @returns {Labelled[]}
 */
export function figuresOf({ session, lastFragment, viewers, downstream, savedUsd }, now) {
  return [
    ['Viewers', String(viewers)],
    ['Last fragment', lastFragment === null ? '–' : agoInWords(lastFragment.receivedAt, now)],
    ['Delay', lastFragment === null ? '–' : delayInWords(lastFragment)],
    ['Session ends in', session?.expiresAt == null ? '–' : leftInWords(session.expiresAt, now)],
    ['To players', bytesInWords(downstream.bytes)],
    ['Saved', usdInWords(savedUsd)],
  ]
}

/**
 * What else there is to know of one.
 *
 * @param {StreamStatus} status
 * @param {number} now
 * @returns {Labelled[]}
 */
export function factsOf(status, now) {
  const { activation, session, source, owner, dvr, mediaSequence, upstream, spentUsd } = status
  const past = dvr === null ? [] : [fact('DVR', dvrInWords(dvr))]
  return [
    fact('Runs', status.dynamic ? 'on demand, by pattern' : activation.replace('-', ' ')),
    fact('Shown', source ?? 'nothing'),
    fact('Session', session === null ? 'none' : `opened ${agoInWords(session.openedAt, now)}`),
    fact('Roll-overs', String(session?.rollovers ?? 0)),
    fact('Media sequence', String(mediaSequence)),
    ...past,
    ...(owner === null ? [] : [fact('Owner', owner)]),
    fact('From upstream', bytesInWords(upstream.bytes)),
    fact('Spent', usdInWords(spentUsd)),
  ]
}

/**
 * @param {string} label
 * @param {string} value
 * @returns {Labelled}
 */
function fact(label, value) {
  return [label, value]
}

/** @param {{ seconds: number, segments: number, bytes: number }} dvr */
function dvrInWords({ seconds, bytes }) {
  return `${spanInWords(1000 * seconds)}, ${bytesInWords(bytes)}`
}

/** @param {string} at @param {number} now */
function agoInWords(at, now) {
  return `${spanInWords(now - Date.parse(at))} ago`
}

/** @param {string} at @param {number} now */
function leftInWords(at, now) {
  return spanInWords(Date.parse(at) - now)
}

/** @param {{ producedAt: string, receivedAt: string }} fragment */
function delayInWords({ producedAt, receivedAt }) {
  return secondsInWords((Date.parse(receivedAt) - Date.parse(producedAt)) / 1000)
}

/**
 * What is out of the ordinary, and where there are several nodes whose the stream is.
 *
 * @param {StreamStatus} status
 * @returns {string[]}
 */
export function notesOf({ reason, source, forced, owner }) {
  const why = reason === null ? [] : [reason]
  const from = forced !== null ? [`${forced}, by order`] : source === 'backup' ? ['backup'] : []
  return [...why, ...from, ...(owner === null ? [] : [`owned by ${owner}`])]
}
