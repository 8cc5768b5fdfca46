import { asDate, type Clock } from '../base/clock.ts'
import { GatewayError } from '../base/errors.ts'
import type { GatewayCounters } from '../metrics/gateway-counters.ts'
import type { LiveSource, Segment } from '../timeline/fragment.ts'
import type { SessionKeeper } from '../upstream/session-keeper.ts'
import type { Histories, StreamHistoryView } from './history.ts'
import type { LiveStream } from './live-stream.ts'
import type { Nodes } from './nodes.ts'
import type { StreamStatus } from './status.ts'
import type { StreamOrder } from './stream-order.ts'
import type { StreamSet } from './stream-set.ts'

/** Tells operators of the streams, and does to them what they want done. */
export class Operations {
  readonly #streams: StreamSet
  readonly #clock: Clock
  readonly #counters: GatewayCounters
  readonly #histories: Histories
  /** The nodes that share the streams; undefined where there is but one. */
  readonly nodes: Nodes | undefined

  constructor(
    streams: StreamSet,
    clock: Clock,
    counters: GatewayCounters,
    histories: Histories,
    nodes: Nodes | undefined,
  ) {
    this.nodes = nodes
    this.#streams = streams
    this.#clock = clock
    this.#counters = counters
    this.#histories = histories
  }

  list(): readonly StreamStatus[] {
    return [...this.#streams.all()].map((stream) => this.#describe(stream))
  }

  status(name: string): StreamStatus | undefined {
    const stream = this.#streams.get(name)
    return stream === undefined ? undefined : this.#describe(stream)
  }

  /** Tells what a stream did within the last hour, as this node saw it. */
  history(name: string): StreamHistoryView | undefined {
    if (this.#streams.get(name) === undefined) return undefined
    return this.#histories.of(name).view(this.#clock.now(), (ms) => asDate(this.#clock, ms))
  }

  /**
   * Replaces the upstream session ahead of time, whichever node holds it.
   * @throws GatewayError `bad_request` when there is no session to replace; `node_away`
   */
  rollover(name: string): Promise<void> {
    return this.#order(name, { order: 'rollover' }, 'owner')
  }

  /**
   * Shows this source whatever it delivers; `auto` leaves it to the sources again.
   * @throws GatewayError `bad_request` when there is no other source to choose; `node_away`
   */
  source(name: string, source: LiveSource | 'auto'): Promise<void> {
    return this.#order(name, { order: 'source', source }, 'all')
  }

  /**
   * Has the node that owns a stream give it to another one.
   * @throws GatewayError `bad_request` when there is none; `node_away`
   */
  handover(name: string): Promise<void> {
    return this.#order(name, { order: 'handover' }, 'owner')
  }

  start(name: string): void {
    this.#streams.get(name)?.start()
  }

  /**
   * Stops a stream on all nodes, until somebody asks for it again.
   * @throws GatewayError `node_away`
   */
  stop(name: string): Promise<void> {
    return this.#order(name, { order: 'stop' }, 'all')
  }

  /**
   * Does here what was ordered, on whatever node.
   * @throws GatewayError `bad_request` when it cannot be done
   */
  async carryOut(name: string, order: StreamOrder): Promise<void> {
    switch (order.order) {
      case 'rollover':
        return this.#rollOver(name)
      case 'handover':
        return this.#handOver(name)
      case 'source':
        return this.#force(name, order.source)
      case 'stop':
        await this.#streams.get(name)?.halt()
    }
  }

  /** Has it done by whoever can: the node that owns the stream, or all, and this one where no other owns it. */
  async #order(name: string, order: StreamOrder, whose: 'owner' | 'all'): Promise<void> {
    const [byOwner] = await Promise.all([
      this.nodes?.order(name, order, whose),
      whose === 'all' && this.carryOut(name, order),
    ])
    if (byOwner !== true && whose === 'owner') await this.carryOut(name, order)
  }

  #rollOver(name: string): void {
    const keeper = this.#streams.get(name)?.sources.active.keeper
    if (keeper?.status() == null) {
      throw new GatewayError('bad_request', 'There is no upstream session to replace.')
    }
    keeper.requestRollover()
  }

  #force(name: string, wanted: LiveSource | 'auto'): void {
    const sources = this.#streams.get(name)?.sources
    if (sources?.hasBackup !== true) {
      throw new GatewayError('bad_request', 'The stream has no backup to choose from.')
    }
    sources.force(wanted === 'auto' ? undefined : wanted)
  }

  #handOver(name: string): void {
    if (this.#streams.get(name)?.handOver() === true) return
    throw new GatewayError('bad_request', 'No node owns the stream, or there is no other.')
  }

  #describe(stream: LiveStream): StreamStatus {
    const { sources, activation } = stream
    const { keeper, quota } = sources.active
    const { name, state, reason, newest, newestMs, viewers } = stream
    const upstream = this.#counters.traffic(name, 'upstream')
    const downstream = this.#counters.traffic(name, 'downstream')
    return {
      name,
      state,
      reason,
      activation,
      dynamic: this.#streams.isDynamic(name),
      source: stream.shown ?? null,
      forced: sources.forced ?? null,
      backup: sources.hasBackup,
      session: this.#describeSession(keeper),
      owner: this.nodes?.ownerOf(name) ?? null,
      sessionsOpen: sources.openSessions,
      lastFragment:
        newest === undefined || newestMs === undefined
          ? null
          : this.#describeFragment(newest, newestMs),
      ...stream.sequence,
      dvr: stream.past ?? null,
      viewers,
      upstream,
      downstream,
      spentUsd: this.#counters.spent(name),
      savedUsd: this.#counters.saved(name),
      quota:
        quota === null
          ? null
          : { metadata: quota.usedRatio('metadata'), media: quota.usedRatio('media') },
    }
  }

  #describeSession(keeper: SessionKeeper): StreamStatus['session'] {
    const status = keeper.status()
    if (status === null) return null
    const { openedAtMs, expiresAtMs, rollovers } = status
    return {
      openedAt: this.#iso(openedAtMs),
      expiresAt: Number.isFinite(expiresAtMs) ? this.#iso(expiresAtMs) : null,
      rollovers,
    }
  }

  #describeFragment({ number, startMs }: Segment, newestMs: number): StreamStatus['lastFragment'] {
    const producedAt = new Date(startMs).toISOString()
    return { number: String(number), producedAt, receivedAt: this.#iso(newestMs) }
  }

  /** Writes a moment of the gateway's clock as a date. */
  #iso(ms: number): string {
    return new Date(asDate(this.#clock, ms)).toISOString()
  }
}
