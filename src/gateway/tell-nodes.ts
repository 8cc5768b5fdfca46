import type { Clock } from '../base/clock.ts'
import type { Cluster } from '../cluster/cluster.ts'
import type { Emit } from '../events/gateway-event.ts'
import { publicName } from './open-events.ts'

type Nodes = Pick<Cluster, 'node' | 'nodes'>

const LOOK_MS = 2_000

/** Tells of the other nodes, those that come and those that are gone. Resolves when the signal aborts. */
export async function tellNodes(
  cluster: Nodes,
  emit: Emit,
  clock: Clock,
  signal: AbortSignal,
): Promise<void> {
  const watch = new NodeWatch(cluster.node, emit)
  while (!signal.aborted) {
    watch.look(cluster.nodes)
    await clock.sleep(LOOK_MS, signal).catch(() => {})
  }
}

interface Known {
  readonly name: string
  readonly version: string
}

/**
 * Notices who comes, and who is away for two looks: one that stood still for a moment, or that Redis has forgotten for a beat,
 * has not left. The first of those that stay tells, so that whoever is told is not told by all.
 */
export class NodeWatch {
  readonly #self: string
  readonly #emit: Emit
  /** Those that were there at the last look, or are away for it. */
  readonly #known = new Map<string, Known>()
  /** Those that were not there at the last look, and who was by then. */
  #away = new Map<string, ReadonlySet<string>>()

  constructor(self: string, emit: Emit) {
    this.#self = self
    this.#emit = emit
  }

  look(nodes: Nodes['nodes']): void {
    // Redis has not told yet who is there, this node among them.
    if (!nodes.has(this.#self)) return
    const before = new Set(this.#known.keys())
    for (const [id, { name, version }] of nodes) {
      if (!before.has(id) && this.#isTeller(before, nodes)) {
        this.#tell('node.joined', { name, version })
      }
      this.#known.set(id, { name, version })
    }
    const away = new Map<string, ReadonlySet<string>>()
    for (const [id, node] of this.#known) {
      if (nodes.has(id)) continue
      const saw = this.#away.get(id)
      if (saw === undefined) {
        away.set(id, before)
        continue
      }
      if (this.#isTeller(saw, nodes)) this.#tell('node.left', node)
      this.#known.delete(id)
    }
    this.#away = away
  }

  /** Says whether this is the first of those that saw it and stay. */
  #isTeller(saw: ReadonlySet<string>, nodes: Nodes['nodes']): boolean {
    const staying = [...nodes].filter(([id, { leaving }]) => saw.has(id) && !leaving)
    return staying.map(([id]) => id).toSorted()[0] === this.#self
  }

  #tell(type: 'node.joined' | 'node.left', { name, version }: Known): void {
    const node = publicName(name)
    this.#emit(type, { node, version }, node)
  }
}
