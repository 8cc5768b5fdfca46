import { execFileSync } from 'node:child_process'
import { availableParallelism } from 'node:os'
import { performance } from 'node:perf_hooks'
import { systemClock } from '../../src/base/clock.ts'
import { type ProcessUsage, processUsage } from '../proof/process-usage.ts'
import { type Gateway, startGateway } from '../proof/product.ts'
import { percentile } from '../proof/statistics.ts'
import { type BenchReport, table } from './bench-report.ts'
import { HeavyCamera } from './heavy-camera.ts'
import { Watching } from './watching.ts'

export interface ViewersOptions {
  /** Added with each step. Default 250. */
  readonly step?: number
  readonly most?: number
}

type Step = Record<string, string | number>

const STREAM = 'heavy'
const SEGMENT_MS = 2_000
const SPREAD_MS = 6_000
const MEASURE_MS = 8_000
const BUSY = 0.97
const OURS_BUSY = 0.85

/**
 * How many viewers of 2 Mbit/s one core holds.
 *
 * The gateway is pinned to core 0; viewers and camera to core 1, in this process. Viewers are added step by
 * step, spread over six seconds, then eight seconds are measured. The ramp ends when the 99th percentile of
 * a segment's time is above half its duration, a viewer has seen an error or a stall, the gateway's core is
 * busy, or ours is: then the true number is higher, and the last column tells it, as viewers divided by the
 * share of a core that the gateway used (user and system time from /proc).
 */
export async function run({ step = 250, most = 5_000 }: ViewersOptions = {}): Promise<BenchReport> {
  if (availableParallelism() < 2) throw new Error('needs two cores: one serves, one watches')
  execFileSync('taskset', ['-a', '-p', '-c', '1', String(process.pid)], { stdio: 'ignore' })
  const camera = await HeavyCamera.start()
  const gateway = await startGateway({
    endpoint: camera.url,
    streams: [STREAM],
    defaults: { activation: 'always' },
    core: 0,
  })
  const watching = new Watching(gateway.watchUrl(STREAM))
  try {
    const rows = await ramp(gateway, watching, step, most)
    const rate = ((8 * camera.bytesPerSecond) / 1e6).toFixed(2)
    return { name: 'viewers', what: `viewers of ${rate} Mbit/s on one core`, rows }
  } finally {
    await watching.stop()
    await gateway.stop()
    await camera.close()
  }
}

async function ramp(
  gateway: Gateway,
  watching: Watching,
  step: number,
  most: number,
): Promise<readonly Step[]> {
  const rows: Step[] = []
  while (watching.viewers.length < most && rows.at(-1)?.['ends'] === undefined) {
    await watching.addSpread(step, SPREAD_MS)
    rows.push(await measure(gateway, watching))
  }
  return rows
}

async function measure(gateway: Gateway, watching: Watching): Promise<Step> {
  watching.forget()
  const before = await look(gateway, watching)
  await systemClock.sleep(MEASURE_MS)
  const after = await look(gateway, watching)
  const seconds = (after.atMs - before.atMs) / 1000
  const share = (after.usage.cpuSeconds - before.usage.cpuSeconds) / seconds
  const ours = performance.eventLoopUtilization(after.loop, before.loop).utilization
  const p99 = percentile(watching.segmentMs, 0.99)
  const viewers = watching.viewers.length
  const reason = whyStop(p99, watching.incidents.length, share, ours)
  return {
    viewers,
    'Gbit/s': (8 * (after.bytes - before.bytes)) / seconds / 1e9,
    'p99 ms': p99,
    errors: watching.incidents.length,
    'gateway %': 100 * share,
    'viewers’ core %': 100 * ours,
    'RSS MiB': after.usage.rssBytes / 2 ** 20,
    'viewers per core': Math.round(viewers / share),
    ...(reason === undefined ? {} : { ends: reason }),
  }
}

function whyStop(p99: number, errors: number, gateway: number, ours: number): string | undefined {
  // Our own core comes first: a viewer that cannot keep up sees slow segments and stalls of its own making.
  if (ours > OURS_BUSY) return 'viewers busy'
  if (errors > 0) return 'errors'
  if (p99 > SEGMENT_MS / 2) return 'slow'
  return gateway > BUSY ? 'gateway busy' : undefined
}

interface Look {
  readonly atMs: number
  readonly bytes: number
  readonly usage: ProcessUsage
  readonly loop: ReturnType<typeof performance.eventLoopUtilization>
}

async function look(gateway: Gateway, watching: Watching): Promise<Look> {
  const usage = await processUsage(gateway.process.pid)
  return {
    atMs: performance.now(),
    bytes: watching.bytes,
    usage,
    loop: performance.eventLoopUtilization(),
  }
}

if (import.meta.main) console.log(table(await run()))
