import { systemClock } from '../../src/base/clock.ts'
import { type CameraCounters, callsOf } from '../proof/emulator-control.ts'
import { cameraOf, type Product, startProduct } from '../proof/product.ts'
import { type BenchReport, table } from './bench-report.ts'
import { Watching } from './watching.ts'

export interface CallsOptions {
  /** How long each number of viewers watches, in seconds. Default 30. */
  readonly seconds?: number
  /** Numbers of viewers to compare. Default 1 and 500. */
  readonly viewers?: readonly number[]
}

const STREAM = 'lobby'
const SETTLE_MS = 6_000

/**
 * Upstream calls for one and for many viewers (G8).
 *
 * One camera, one session that outlives the run. For each number of viewers: they come within three
 * seconds and settle; then the emulator's own counters are read, `seconds` pass, and they are read again.
 * The difference is what KVS would have seen and billed. A roll-over within the span would add calls, so
 * there is none.
 */
export async function run(options: CallsOptions = {}): Promise<BenchReport> {
  const { seconds = 30, viewers = [1, 500] } = options
  const product = await startProduct({
    cameras: { [STREAM]: { clip: 'av-720p' } },
    defaults: { activation: 'always' },
  })
  try {
    const rows = []
    for (const count of viewers) rows.push(await measure(product, count, seconds))
    return { name: 'calls', what: `calls that KVS sees in ${seconds} s, by viewers`, rows }
  } finally {
    await product.stop()
  }
}

async function measure(
  product: Product,
  count: number,
  seconds: number,
): Promise<Record<string, number>> {
  const watching = new Watching(product.watchUrl(STREAM))
  try {
    await watching.addSpread(count, 3_000)
    await systemClock.sleep(SETTLE_MS)
    watching.forget()
    const bytesBefore = watching.bytes
    const before = await product.control.counters(cameraOf(STREAM))
    await systemClock.sleep(seconds * 1000)
    const after = await product.control.counters(cameraOf(STREAM))
    return {
      viewers: count,
      ...differences(before, after),
      'MiB from KVS': (after.bytes - before.bytes) / 2 ** 20,
      'MiB to viewers': (watching.bytes - bytesBefore) / 2 ** 20,
      'viewer errors': watching.incidents.length,
    }
  } finally {
    await watching.stop()
  }
}

function differences(before: CameraCounters, after: CameraCounters): Record<string, number> {
  const rows: Record<string, number> = { calls: callsOf(after) - callsOf(before) }
  for (const name of ['GetHLSMediaPlaylist', 'GetMP4MediaFragment', 'GetMP4InitFragment']) {
    rows[name] = callsOf(after, name) - callsOf(before, name)
  }
  return rows
}

if (import.meta.main) console.log(table(await run()))
