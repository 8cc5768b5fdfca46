import type { GatewayCounters } from '../metrics/gateway-counters.ts'
import type { Stream } from '../streams/stream.ts'
import { DownstreamCounts } from './downstream-counts.ts'

/** Counts each stream for as long as it lives; nothing has to be cleaned up after it. */
export class ServedStreams {
  readonly #counts = new WeakMap<Stream, DownstreamCounts>()
  readonly #counters: GatewayCounters

  constructor(counters: GatewayCounters) {
    this.#counters = counters
  }

  of(stream: Stream): DownstreamCounts {
    const known = this.#counts.get(stream)
    // A stream may come to share its label, or cease to.
    if (known?.label === this.#counters.labelOf(stream.name)) return known
    const counts = new DownstreamCounts(this.#counters, stream.name)
    this.#counts.set(stream, counts)
    return counts
  }
}
