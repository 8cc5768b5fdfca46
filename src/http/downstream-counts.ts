import type { Cell } from '../metrics/counter.ts'
import type { GatewayCounters, OwnTraffic } from '../metrics/gateway-counters.ts'

/** Says what was asked for; the metric label `class`. */
export type TrafficClass = 'multivariant' | 'playlist' | 'segment' | 'init' | 'clip'

interface ClassCells {
  readonly requests: Map<number, Cell>
  readonly bytes: Cell
}

/** Counts one stream's answers without building a label on the way, because that would be felt at each request. */
export class DownstreamCounts {
  readonly #counters: GatewayCounters
  /** The label, which other streams may share. */
  readonly label: string
  readonly #own: OwnTraffic | undefined
  readonly #classes = new Map<TrafficClass, ClassCells>()

  constructor(counters: GatewayCounters, stream: string) {
    this.#counters = counters
    this.label = counters.labelOf(stream)
    this.#own = counters.ownTraffic(stream, 'downstream')
  }

  answered(trafficClass: TrafficClass, status: number, bytes: number): void {
    const cells = this.#cells(trafficClass)
    cells.bytes.value += bytes
    if (this.#own !== undefined) this.#own.requests += 1
    this.#own?.sent(trafficClass, bytes)
    const known = cells.requests.get(status)
    if (known === undefined) this.#first(trafficClass, cells, status)
    else known.value += 1
  }

  /** Counts body bytes that were not known yet, or not handed over yet, when the answer began. */
  sent(trafficClass: TrafficClass, bytes: number): void {
    this.#cells(trafficClass).bytes.value += bytes
    this.#own?.sent(trafficClass, bytes)
  }

  #cells(trafficClass: TrafficClass): ClassCells {
    let cells = this.#classes.get(trafficClass)
    if (cells === undefined) {
      const labels = { stream: this.label, class: trafficClass }
      cells = { requests: new Map(), bytes: this.#counters.downstreamBytes.cell(labels) }
      this.#classes.set(trafficClass, cells)
    }
    return cells
  }

  #first(trafficClass: TrafficClass, { requests }: ClassCells, status: number): void {
    const labels = { stream: this.label, class: trafficClass, code: String(status) }
    const cell = this.#counters.downstreamRequests.cell(labels)
    cell.value += 1
    requests.set(status, cell)
  }
}
