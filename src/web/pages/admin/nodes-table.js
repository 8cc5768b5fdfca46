// @ts-check
import { element } from '../dom.js'
import { spanInWords } from '../times.js'

/** @typedef {import('./answers.js').NodeStatus} NodeStatus */

/**
 * The nodes that are one gateway; nothing where there is but one.
 *
 * @param {readonly NodeStatus[] | undefined} nodes
 * @param {number} now
 * @returns {HTMLElement[]}
 */
export function nodesTable(nodes, now) {
  if (nodes === undefined) return []
  const entries = nodes.map(({ name, self, version, startedAt, leaving, streams }) => {
    const words = [
      streams === 1 ? 'owns 1 stream' : `owns ${streams} streams`,
      `up ${spanInWords(now - Date.parse(startedAt))}`,
      version,
      ...(leaving ? ['leaving'] : []),
    ]
    return element('li', self ? 'self' : '', [
      element('b', '', [new Text(self ? `${name}, this one` : name)]),
      element('small', '', [new Text(words.join(' · '))]),
    ])
  })
  return [element('h2', '', [new Text('Nodes')]), element('ul', '', entries)]
}
