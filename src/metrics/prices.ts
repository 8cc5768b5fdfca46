import type { Log } from '../base/log.ts'

/** When AWS's price list was read, KVS.md, section 11: a new reading changes this and the table below. */
export const PRICES_READ = '2026-10-07'

/** What KVS charges for reading a stream through HLS, in USD per GB, by region. Of other regions we know none. */
const HLS_USD_PER_GB: Readonly<Record<string, number>> = { 'us-east-1': 0.0119 }

/** The region whose price is assumed where a region's own is not known. */
const ASSUMED = 'us-east-1'

/** AWS's GB: its bills count in powers of ten. */
const GB = 1e9

/** What is charged for; the values of the metric label `kind`. The price list knows none for calls, playlists and inits. */
export type ChargeKind = 'hls'

const CHARGED: ReadonlyMap<string, ChargeKind> = new Map([
  ['GetMP4MediaFragment', 'hls'],
  ['GetTSFragment', 'hls'],
])

/** Says what the bytes of a call are charged as; undefined where they are free. */
export function chargeOf(operation: string): ChargeKind | undefined {
  return CHARGED.get(operation)
}

/** Returns what a GB costs in a region, by the list, and whose price that is where its own is not known. */
export function listedHlsPrice(region: string): {
  readonly usdPerGb: number
  readonly from: string
} {
  const own = HLS_USD_PER_GB[region]
  if (own !== undefined) return { usdPerGb: own, from: region }
  return { usdPerGb: HLS_USD_PER_GB[ASSUMED] ?? 0, from: ASSUMED }
}

export function usd(bytes: number, usdPerGb: number): number {
  return (bytes / GB) * usdPerGb
}

export interface PricesOptions {
  /** The process's own region; undefined where the SDK's chain names none. */
  readonly region: string | undefined
  /** What an operator pays instead of the list's price, in USD per GB. */
  readonly usdPerGb: number | undefined
  readonly log: Log
}

/** Knows what a GB of a stream costs, and says once of each region where it does not. */
export class Prices {
  readonly #options: PricesOptions
  readonly #told = new Set<string>()

  constructor(options: PricesOptions) {
    this.#options = options
  }

  /** @param region that of the stream; undefined for the process's own */
  hlsUsdPerGb(region: string | undefined): number {
    const { usdPerGb, region: own = ASSUMED, log } = this.#options
    if (usdPerGb !== undefined) return usdPerGb
    const wanted = region ?? own
    const { usdPerGb: listed, from } = listedHlsPrice(wanted)
    if (from === wanted) return listed
    if (!this.#told.has(wanted)) {
      this.#told.add(wanted)
      log.info('the price of this region is not known: that of another is assumed', {
        region: wanted,
        from,
        usdPerGb: listed,
        asOf: PRICES_READ,
      })
    }
    return listed
  }
}
