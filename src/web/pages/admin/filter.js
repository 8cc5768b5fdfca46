// @ts-check

/**
 * @typedef {import('./answers.js').State} State
 * @typedef {import('./answers.js').StreamStatus} StreamStatus
 *
 * @typedef {{ text: string, state: State | undefined }} Filter
 */

/** From bad to good, so that what is wrong is read first. @type {State[]} */
const ORDER = ['failed', 'offline', 'stale', 'slate', 'starting', 'ended', 'idle', 'live']

/**
 * How many streams are in each state, of those that there are.
 *
 * @param {readonly StreamStatus[]} streams
 * @returns {{ state: State, count: number }[]}
 */
export function statesOf(streams) {
  return ORDER.map((state) => ({
    state,
    count: streams.filter((stream) => stream.state === state).length,
  })).filter(({ count }) => count > 0)
}

/**
 * @param {Pick<StreamStatus, 'name' | 'state'>} stream
 * @param {Filter} filter
 */
export function isWanted({ name, state }, filter) {
  const named = name.toLowerCase().includes(filter.text.trim().toLowerCase())
  return named && (filter.state === undefined || filter.state === state)
}
