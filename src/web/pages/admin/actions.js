// @ts-check

/**
 * @typedef {import('./answers.js').StreamStatus} StreamStatus
 * @typedef {import('./answers.js').NodeStatus} NodeStatus
 *
 * Something that an operator may order of a stream.
 *
 * @typedef {object} Action
 * @property {'rollover' | 'start' | 'stop' | 'handover' | 'source'} id   what the API calls it
 * @property {{ source: string }} [body]   what it is told besides
 * @property {boolean} [chosen]   whether it is so now; of a choice alone
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
  // Another node's session is not known here, and rolled over there.
  const whyNot = session === null && !isOthers(owner, nodes) ? 'No session is open.' : undefined
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

/**
 * Says whether another node owns it.
 *
 * @param {string | null} owner
 * @param {readonly NodeStatus[]} [nodes]
 */
function isOthers(owner, nodes) {
  const self = nodes?.find((node) => node.self)
  return self !== undefined && owner !== null && owner !== self.name
}

/** @param {string | undefined} whyNot */
function reason(whyNot) {
  return whyNot === undefined ? {} : { whyNot }
}

/**
 * The sources that one may choose of; none where there is no choice.
 *
 * @param {StreamStatus} status
 * @returns {Action[]}
 */
export function sourcesOf({ backup, forced }) {
  if (!backup) return []
  /** @type {(source: string, label: string, done: string) => Action} */
  const choice = (source, label, done) => ({
    id: 'source',
    label,
    body: { source },
    chosen: source === (forced ?? 'auto'),
    done,
  })
  return [
    choice('auto', 'Auto', 'The camera is shown, and the backup while that delivers nothing.'),
    choice('camera', 'Camera', 'The camera is shown, whatever it delivers.'),
    choice('backup', 'Backup', 'The backup is shown, whatever it delivers.'),
  ]
}
