import { hash } from 'node:crypto'

/**
 * Returns which of these nodes is to own a stream, the same on every node, whatever the order: each stream goes to one of
 * them by chance, and where a node comes or goes, only its own streams change (rendezvous hashing).
 */
export function preferredNode(stream: string, nodes: Iterable<string>): string | undefined {
  let best: string | undefined
  let highest = ''
  for (const node of nodes) {
    const weight = hash('sha256', `${node} ${stream}`)
    if (best === undefined || weight > highest) {
      best = node
      highest = weight
    }
  }
  return best
}
