/** The price of data consumed through HLS, in USD per GiB. AWS price list, US East; KVS.md, section 11. */
const USD_PER_GIB = 0.0119

/**
 * Computes what KVS would have charged more, had every player pulled its bytes from KVS itself. Never negative,
 * because a stream that runs with nobody watching has saved nothing.
 */
export function savedUsd(downstreamBytes: number, upstreamBytes: number): number {
  return (Math.max(0, downstreamBytes - upstreamBytes) / 2 ** 30) * USD_PER_GIB
}
