import { ContinuityMonitor, type MonitorReport } from '../proof/continuity-monitor.ts'
import type { KnownSegments } from '../proof/known-segments.ts'
import type { Gateway } from '../proof/product.ts'

interface Life {
  readonly node: string
  readonly stream: string
  readonly monitor: ContinuityMonitor
}

/** Less often than one monitor does: there are as many of each stream as there are nodes. */
const EVERY_MS = 1_000
/** Each report keeps its first faults; more of them say nothing more. */
const FAULTS_KEPT = 20

/**
 * Monitors of every stream on every node, for as long as the node lives. Whatever node told of a segment, in whatever life,
 * all others have to tell the same.
 */
export class NodeMonitors {
  readonly #streams: readonly string[]
  readonly #signal: AbortSignal
  readonly #known = new Map<string, Map<string, KnownSegments>>()
  readonly #ends = new Map<string, AbortController>()
  readonly #following = new Set<Promise<void>>()
  #lives: Life[] = []
  readonly #past = new Map<string, MonitorReport>()

  constructor(streams: readonly string[], signal: AbortSignal) {
    this.#streams = streams
    this.#signal = signal
    for (const stream of streams) this.#known.set(stream, new Map())
  }

  /** A node has come. */
  come(node: string, { watchUrl }: Pick<Gateway, 'watchUrl'>): void {
    const end = new AbortController()
    this.#ends.set(node, end)
    const signal = AbortSignal.any([this.#signal, end.signal])
    for (const stream of this.#streams) {
      const known = this.#known.get(stream) ?? new Map<string, KnownSegments>()
      const monitor = new ContinuityMonitor(watchUrl(stream), {
        signal,
        keepBytes: 0,
        known,
        everyMs: EVERY_MS,
      })
      this.#lives = [...this.#lives, { node, stream, monitor }]
      const following = monitor.follow().finally(() => this.#following.delete(following))
      this.#following.add(following)
    }
  }

  /** A node is about to go. */
  leave(node: string): void {
    this.#ends.get(node)?.abort()
    for (const life of this.#lives.filter((each) => each.node === node)) this.#fold(life)
    this.#lives = this.#lives.filter((life) => life.node !== node)
  }

  async ended(): Promise<void> {
    await Promise.all(this.#following)
  }

  /** A stream each, of all nodes together. */
  reports(): readonly MonitorReport[] {
    return this.#streams.flatMap((stream) => {
      const reports = [
        ...[this.#past.get(stream)].filter((report) => report !== undefined),
        ...this.#lives.filter((life) => life.stream === stream).map(reportOf),
      ]
      return reports.length === 0 ? [] : [reports.reduce(sum)]
    })
  }

  #fold(life: Life): void {
    const past = this.#past.get(life.stream)
    const report = reportOf(life)
    this.#past.set(life.stream, past === undefined ? report : sum(past, report))
  }
}

function reportOf({ node, monitor }: Life): MonitorReport {
  const report = monitor.report()
  const faults = report.faults.map((fault) => ({ ...fault, detail: `${node}: ${fault.detail}` }))
  return { ...report, faults }
}

function sum(one: MonitorReport, other: MonitorReport): MonitorReport {
  const kinds = [
    ...Object.keys(one.counts),
    ...Object.keys(other.counts),
  ] as (keyof MonitorReport['counts'])[]
  return {
    ...other,
    faults: [...one.faults, ...other.faults].slice(0, FAULTS_KEPT),
    counts: Object.fromEntries(
      kinds.map((kind) => [kind, (one.counts[kind] ?? 0) + (other.counts[kind] ?? 0)] as const),
    ),
    total: one.total + other.total,
    polls: one.polls + other.polls,
    segments: one.segments + other.segments,
    discontinuities: one.discontinuities + other.discontinuities,
    missed: one.missed + other.missed,
  }
}
