import type { Cluster } from '../cluster/cluster.ts'
import type { Nodes } from '../streams/nodes.ts'

/** Tells operators of the nodes. */
export function nodesOf(cluster: Cluster): Nodes {
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
  }
}
