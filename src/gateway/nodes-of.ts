import { GatewayError } from '../base/errors.ts'
import type { Log } from '../base/log.ts'
import type { Cluster } from '../cluster/cluster.ts'
import type { NodeFacts } from '../cluster/leases.ts'
import type { Nodes } from '../streams/nodes.ts'
import { type Asking, orderVia } from './ask-peer.ts'

type NodesCluster = Pick<Cluster, 'node' | 'nodes' | 'owners' | 'ownerOf'>

/** Tells operators of the nodes, and has those do what is ordered. */
export function nodesOf(cluster: NodesCluster, asking: Asking & { readonly log: Log }): Nodes {
  const nameOf = (node: string): string => cluster.nodes.get(node)?.name ?? node
  return {
    list: () =>
      Array.from(cluster.nodes, ([node, { name, version, startedMs, leaving }]) => ({
        node,
        name,
        self: node === cluster.node,
        version,
        startedAt: new Date(startedMs).toISOString(),
        leaving,
        streams: [...cluster.owners.values()].filter((owner) => owner === node).length,
      })).toSorted((a, b) => a.name.localeCompare(b.name)),
    ownerOf: (stream) => {
      const owner = cluster.ownerOf(stream)
      return owner === undefined ? undefined : nameOf(owner)
    },
    order: async (stream, order, whose) => {
      const owner = cluster.ownerOf(stream)
      const others = [...cluster.nodes].filter(([id]) => id !== cluster.node)
      const asked = whose === 'all' ? others : others.filter(([id]) => id === owner)
      const send = async ([id, node]: readonly [string, NodeFacts]): Promise<void> => {
        try {
          await orderVia(asking, node, stream, order)
        } catch (error) {
          if (error instanceof GatewayError) throw error
          asking.log.warn('a node does not carry out an order', { node: node.name, stream, error })
          if (id === owner) throw away(node.name)
        }
      }
      await Promise.all(asked.map(send))
      return owner !== undefined && owner !== cluster.node
    },
  }
}

function away(node: string): GatewayError {
  const detail = `The stream is ${node}’s, which does not answer: try again.`
  return new GatewayError('node_away', detail, { retryAfterMs: 3_000 })
}
