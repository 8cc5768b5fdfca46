import { systemClock } from '../../src/base/clock.ts'
import { processUsage } from '../proof/process-usage.ts'
import { type Product, startProduct } from '../proof/product.ts'
import { percentile } from '../proof/statistics.ts'
import { type BenchReport, table } from './bench-report.ts'
import { addedDelays } from './delay.ts'

export interface StreamsOptions {
  /** How many streams, run by run. Default 1, 100, 500. */
  readonly counts?: readonly number[]
  /** How long each run is measured, in seconds. Default 30. */
  readonly seconds?: number
}

const MEBIBYTE = 2 ** 20

/**
 * What streams cost that nobody watches: fragments of two seconds, sound and picture, followed all the time. The
 * first stream's playlist alone is watched, for the delay. Processor time and memory are the gateway's own, as the
 * kernel has them; the emulator runs in another process, on what processor it finds.
 */
export async function run({
  counts = [1, 100, 500],
  seconds = 30,
}: StreamsOptions = {}): Promise<BenchReport> {
  const rows: BenchReport['rows'][number][] = []
  for (const count of counts) rows.push(await measure(count, seconds))
  const what = 'processor time and memory a stream that is followed all the time, and its delay'
  return { name: 'streams', what, rows }
}

async function measure(count: number, seconds: number): Promise<BenchReport['rows'][number]> {
  const names = Array.from({ length: count }, (_, i) => `camera-${i}`)
  const cameras = Object.fromEntries(names.map((name) => [name, { clip: 'av-720p' }]))
  const product = await startProduct({
    cameras,
    defaults: { activation: 'always' },
    cacheMaxBytes: '2GiB',
  })
  try {
    await untilAllLive(product, count)
    const { pid } = product.process
    const before = await processUsage(pid)
    const startMs = systemClock.now()
    const delays = await addedDelays(product, names[0] ?? '', seconds)
    const after = await processUsage(pid)
    const cpuMs = 1000 * (after.cpuSeconds - before.cpuSeconds)
    const passedS = (systemClock.now() - startMs) / 1000
    return {
      streams: count,
      'CPU ms a stream and second': cpuMs / passedS / count,
      'share of a core': cpuMs / passedS / 1000,
      'RSS MiB': after.rssBytes / MEBIBYTE,
      'RSS MiB a stream': after.rssBytes / MEBIBYTE / count,
      'delay p50 ms': percentile(delays, 0.5),
      'delay p95 ms': percentile(delays, 0.95),
    }
  } finally {
    await product.stop()
  }
}

async function untilAllLive(product: Product, count: number): Promise<void> {
  const signal = AbortSignal.timeout(300_000)
  for (;;) {
    const streams = await product.admin.streams()
    if (streams.filter(({ state }) => state === 'live').length === count) break
    await systemClock.sleep(1_000, signal)
  }
  // The windows fill, and code is compiled.
  await systemClock.sleep(15_000, signal)
}

if (import.meta.main) console.log(table(await run()))
