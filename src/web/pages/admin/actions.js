// @ts-check

/**
 * @typedef {import('./answers.js').StreamStatus} StreamStatus
 * @typedef {import('./answers.js').NodeStatus} NodeStatus
 *
 * Something that an operator may order of a stream.
 *
 * @typedef {object} Action
 * @property {'rollover' | 'start' | 'stop' | 'handover'} id   what the API calls it
 * @property {string} label
 * @property {string} done      said once the gateway has agreed
 * @property {string} [whyNot]  why it does not apply now
 * @property {string} [ask]     what to ask before, where it hurts
 */

/**
 * @param {StreamStatus} status
 * @param {readonly NodeStatus[]} [nodes]   undefined where there is but one
 * @returns {Action[]}
 */
export function actionsOf(status, nodes) {
  const handOver = nodes === undefined ? [] : [handOverOf(status, nodes)]
  return [rollOverOf(status, nodes), startOrStopOf(status), ...handOver]
}

/**
 * @param {StreamStatus} status
 * @param {readonly NodeStatus[]} [nodes]
 * @returns {Action}
 */
function rollOverOf({ owner, session }, nodes) {
  const isOurs = nodes === undefined || owner === null || owner === selfOf(nodes)
  const whyNot = !isOurs
    ? `The session is ${owner}’s: ask that node.`
    : session === null
      ? 'No session is open.'
      : undefined
  const done =
    'A new session is being opened. The old one stays until the new one has proved itself.'
  return { id: 'rollover', label: 'Roll over', done, ...reason(whyNot) }
}

/**
 * @param {StreamStatus} status
 * @returns {Action}
 */
function startOrStopOf({ name, state, viewers, activation }) {
  if (state === 'idle') return { id: 'start', label: 'Start', done: 'Started.' }
  const watched =
    viewers === 0
      ? ''
      : ` ${viewers === 1 ? '1 viewer watches' : `${viewers} viewers watch`} it now.`
  const again = activation === 'always' ? ' Though it is to run always, it' : ' It'
  return {
    id: 'stop',
    label: 'Stop',
    done: 'Stopped, until somebody asks for it.',
    ask: `Stop ${name}?${watched}${again} starts again once somebody asks for it.`,
  }
}

/**
 * @param {StreamStatus} status
 * @param {readonly NodeStatus[]} nodes
 * @returns {Action}
 */
function handOverOf({ owner }, nodes) {
  const whyNot =
    owner === null
      ? 'No node owns it: nobody wants it now.'
      : owner !== selfOf(nodes)
        ? `It is ${owner}’s: ask that node.`
        : nodes.length < 2
          ? 'There is no other node.'
          : undefined
  return {
    id: 'handover',
    label: 'Hand over',
    done: 'Another node takes it over.',
    ...reason(whyNot),
  }
}

/** @param {readonly NodeStatus[]} nodes */
function selfOf(nodes) {
  return nodes.find(({ self }) => self)?.name
}

/** @param {string | undefined} whyNot */
function reason(whyNot) {
  return whyNot === undefined ? {} : { whyNot }
}

/**
 * The sources that one may choose of; none where there is no choice.
 *
 * @param {StreamStatus} status
 * @returns {{ id: 'auto' | 'camera' | 'backup', label: string, chosen: boolean, done: string }[]}
 */
export function sourcesOf({ backup, forced }) {
  if (!backup) return []
  return [
    {
      id: 'auto',
      label: 'Auto',
      chosen: forced === null,
      done: 'The camera is shown, and the backup while that delivers nothing.',
    },
    {
      id: 'camera',
      label: 'Camera',
      chosen: forced === 'camera',
      done: 'The camera is shown, whatever it delivers.',
    },
    {
      id: 'backup',
      label: 'Backup',
      chosen: forced === 'backup',
      done: 'The backup is shown, whatever it delivers.',
    },
  ]
}
