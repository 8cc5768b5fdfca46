import type { Random } from '../../src/base/backoff.ts'
import type { Clock } from '../../src/base/clock.ts'
import type { Balancer } from '../proof/balancer.ts'
import type { Nodes } from '../proof/nodes.ts'
import { between, pick } from '../proof/seeded-random.ts'
import type { Excuses } from './excuses.ts'
import type { NodeMonitors } from './node-monitors.ts'

export interface NodeTroubleOptions {
  readonly clock: Clock
  readonly random: Random
  readonly signal: AbortSignal
  readonly nodes: Nodes
  readonly balancer: Balancer
  readonly monitors: NodeMonitors
  readonly streams: readonly string[]
  readonly excuses: Excuses
  readonly log: (line: string) => void
}

const EVERY_MS = 30_000
/** How long a node is away, and for how long one stands still, in seconds. */
const AWAY_S = [1, 6] as const
const STILL_S = [3, 8] as const
/** How long after it a viewer whose request hung there may still wait. */
const HUNG_MS = 3_000
const HOW = ['SIGKILL', 'SIGTERM', 'SIGSTOP'] as const

/** Kills a node every half minute, stops it as operators do, or lets it stand still, and has it back. */
export class NodeTrouble {
  readonly #options: NodeTroubleOptions
  readonly #counts = new Map<string, number>()
  readonly failures: string[] = []

  constructor(options: NodeTroubleOptions) {
    this.#options = options
  }

  /** How often each was done. */
  get counts(): ReadonlyMap<string, number> {
    return this.#counts
  }

  async run(): Promise<void> {
    const { clock, random, signal, nodes, log } = this.#options
    try {
      for (;;) {
        await clock.sleep(EVERY_MS, signal)
        const name = pick(random, [...nodes.nodes.keys()])
        const how = pick(random, HOW)
        log(`${name}: ${how}`)
        this.#counts.set(how, (this.#counts.get(how) ?? 0) + 1)
        await (how === 'SIGSTOP' ? this.#hold(name) : this.#end(name, how))
        log(`${name}: back`)
      }
    } catch (error) {
      if (!signal.aborted) this.failures.push(String(error))
    }
  }

  async #hold(name: string): Promise<void> {
    const { clock, random, signal, nodes, excuses, streams } = this.#options
    const { pid } = nodes.get(name).process
    // Requests hang there until the balancer notices, for longer than short fragments last.
    const ends = streams.map((stream) => excuses.open(stream, ['starves'], clock.now()))
    process.kill(pid, 'SIGSTOP')
    try {
      await clock.sleep(between(random, ...STILL_S) * 1000, signal)
    } finally {
      process.kill(pid, 'SIGCONT')
      for (const end of ends) end(clock.now() + HUNG_MS)
    }
  }

  async #end(name: string, how: 'SIGKILL' | 'SIGTERM'): Promise<void> {
    const { clock, random, signal, nodes, balancer, monitors } = this.#options
    monitors.leave(name)
    await nodes.end(name, how)
    balancer.remove(name)
    await clock.sleep(between(random, ...AWAY_S) * 1000, signal)
    const node = await nodes.add(name)
    balancer.add(name, node.url)
    monitors.come(name, node)
  }
}
