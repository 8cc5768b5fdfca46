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
    let counts = this.#counts.get(stream)
    if (counts === undefined) {
      counts = new DownstreamCounts(this.#counters, stream.name)
      this.#counts.set(stream, counts)
    }
    return counts
  }
}
