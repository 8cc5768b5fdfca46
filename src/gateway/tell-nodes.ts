import type { Clock } from '../base/clock.ts'
import type { Cluster } from '../cluster/cluster.ts'
import type { NodeFacts } from '../cluster/leases.ts'
import type { Emit } from '../events/gateway-event.ts'
import { publicName } from './open-events.ts'

type Nodes = Pick<Cluster, 'node' | 'nodes'>

const LOOK_MS = 2_000
/** For how many looks in a row a node must be away that has not said that it leaves, and how many where it has. */
const AWAY_LOOKS = 5
const LEFT_LOOKS = 2

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

type Known = Pick<NodeFacts, 'name' | 'version' | 'leaving'>

interface Away {
  readonly looks: number
  /** Who was there when it was seen last. */
  readonly saw: ReadonlySet<string>
}

/**
 * Notices who comes, and who is gone: said so, was replaced by one of the same name, or is away for ten seconds. One that is
 * slow, stood still for a moment, or was forgotten by Redis for a beat, has not left. The first of those that stay
 * tells, so that whoever is told is not told by all.
 */
export class NodeWatch {
  readonly #self: string
  readonly #emit: Emit
  /** Those that were there at the last look, or are away for it. */
  readonly #known = new Map<string, Known>()
  /** Those that were not there at the last look. */
  #away = new Map<string, Away>()

  constructor(self: string, emit: Emit) {
    this.#self = self
    this.#emit = emit
  }

  look(nodes: Nodes['nodes']): void {
    // Redis has not told yet who is there, this node among them.
    if (!nodes.has(this.#self)) return
    const before = new Set(this.#known.keys())
    const came = [...nodes].filter(([id]) => !before.has(id))
    const names = new Set(came.map(([, { name }]) => name))
    const away = new Map<string, Away>()
    for (const [id, node] of this.#known) {
      if (nodes.has(id)) continue
      const { looks, saw } = this.#away.get(id) ?? { looks: 0, saw: before }
      if (names.has(node.name) || looks + 1 >= (node.leaving ? LEFT_LOOKS : AWAY_LOOKS)) {
        if (this.#isTeller(saw, nodes)) this.#tell('node.left', node)
        this.#known.delete(id)
      } else away.set(id, { looks: looks + 1, saw })
    }
    this.#away = away
    for (const [, node] of came) if (this.#isTeller(before, nodes)) this.#tell('node.joined', node)
    for (const [id, { name, version, leaving }] of nodes) {
      this.#known.set(id, { name, version, leaving })
    }
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
