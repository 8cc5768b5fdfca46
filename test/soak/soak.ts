import { systemClock } from '../../src/base/clock.ts'
import { ContinuityMonitor } from '../proof/continuity-monitor.ts'
import type { CallFault } from '../proof/emulator-control.ts'
import type { GatewayAdmin } from '../proof/gateway-admin.ts'
import { cameraOf, type Product, startProduct } from '../proof/product.ts'
import { seededRandom } from '../proof/seeded-random.ts'
import { Audience } from './audience.ts'
import { SOAK_CAMERAS, SOAK_SOURCES } from './cameras.ts'
import { Excuses } from './excuses.ts'
import { MemoryWatch } from './memory-watch.ts'
import { gatherUpstream, type SoakReport } from './report.ts'
import { TroubleMaker } from './trouble-maker.ts'
import type { Victim } from './troubles.ts'

export interface SoakOptions {
  readonly minutes: number
  readonly viewers: number
  readonly seed: number
  /** Ends the soak early; the report then covers what there was. */
  readonly signal: AbortSignal
  readonly log: (line: string) => void
}

/** Viewers come within this time, as after a start of the working day. */
const ARRIVAL_MS = 30_000
const WARM_UP_MS = 180_000
const clock = systemClock

/** Runs the whole product under trouble and viewers, and reports what they saw. */
export async function soak(options: SoakOptions): Promise<SoakReport> {
  const { minutes, log } = options
  log(`starting emulator and gateway; ${minutes} minutes, seed ${options.seed}`)
  const product = await startProduct({
    cameras: SOAK_CAMERAS,
    sources: SOAK_SOURCES,
    defaults: { activation: 'always', kvs: { expires: '5m' } },
  })
  try {
    return await watchItSuffer(product, options)
  } finally {
    await product.stop()
  }
}

async function watchItSuffer(product: Product, options: SoakOptions): Promise<SoakReport> {
  const { minutes, viewers, seed, log } = options
  const end = AbortSignal.any([options.signal, AbortSignal.timeout(minutes * 60_000)])
  const streams = Object.keys(SOAK_CAMERAS)
  const startedMs = clock.now()
  const excuses = new Excuses()
  const audience = new Audience(excuses)
  const memory = new MemoryWatch(product.process.pid, clock)
  const monitors = streams.map((stream) => {
    const url = product.watchUrl(stream)
    return new ContinuityMonitor(url, { signal: end, keepBytes: 0 })
  })
  const troubleMaker = new TroubleMaker({
    clock,
    signal: end,
    random: seededRandom(seed),
    excuses,
    log,
    victims: new Map(
      streams.map((stream) => [stream, victimOf(product, stream, { signal: end, log })]),
    ),
  })
  await Promise.all([
    memory.run(end),
    troubleMaker.run(),
    ...monitors.map((monitor) => monitor.follow()),
    ...arrivals(viewers, streams).map(({ stream, afterMs }) =>
      arrive(audience, product, stream, afterMs, end),
    ),
    progress(log, monitors, audience, end),
  ])
  return {
    ranMs: clock.now() - startedMs,
    seed,
    gatewayRunning: product.process.running,
    gatewayLines: product.process.lines,
    monitors: monitors.map((monitor) => monitor.report()),
    audience: audience.report(),
    troubles: Object.fromEntries(troubleMaker.counts),
    troubleFailures: troubleMaker.failures,
    upstream: await gatherUpstream(product, streams),
    memory: memory.report(WARM_UP_MS),
  }
}

/** Viewers in turn for each stream, one after the other over the arrival time. */
function arrivals(
  viewers: number,
  streams: readonly string[],
): { stream: string; afterMs: number }[] {
  return Array.from({ length: viewers }, (_, i) => ({
    stream: streams[i % streams.length] ?? '',
    afterMs: (ARRIVAL_MS * i) / viewers,
  }))
}

async function arrive(
  audience: Audience,
  product: Product,
  stream: string,
  afterMs: number,
  signal: AbortSignal,
): Promise<void> {
  try {
    await clock.sleep(afterMs, signal)
  } catch {
    // The soak ended before this viewer came.
    return
  }
  await audience.watch(stream, product.watchUrl(stream), clock, signal)
}

function victimOf(
  { control, admin }: Product,
  stream: string,
  { signal, log }: Pick<SoakOptions, 'signal' | 'log'>,
): Victim {
  const camera = cameraOf(stream)
  return {
    event: (event) => {
      log(`  ${JSON.stringify(event)}`)
      return control.event(camera, event)
    },
    fault: (meant) => {
      const fault = inContainer(stream, meant)
      log(`  ${JSON.stringify(fault)}`)
      return control.fault(camera, fault)
    },
    revokeSessions: () => control.revokeSessions(camera),
    rollOver: () => rollOver(admin, stream),
    sleep: (ms) => clock.sleep(ms, signal),
  }
}

/** In MPEG-TS there is one kind of fragment, and nothing before it. */
function inContainer(stream: string, fault: CallFault): CallFault {
  const { operation } = fault
  const mp4 = typeof operation === 'string' && operation.startsWith('GetMP4')
  const ts = SOAK_SOURCES[stream]?.['containerFormat'] === 'MPEG_TS'
  return mp4 && ts ? { ...fault, operation: 'GetTSFragment' } : fault
}

async function progress(
  log: (line: string) => void,
  monitors: readonly ContinuityMonitor[],
  audience: Audience,
  signal: AbortSignal,
): Promise<void> {
  while (!signal.aborted) {
    await clock.sleep(60_000, signal).catch(() => {})
    const faults = monitors.reduce((sum, monitor) => sum + monitor.report().total, 0)
    const { segments, errors } = audience.report()
    const failed = Object.values(errors).reduce((sum, count) => sum + count, 0)
    log(`${segments} segments watched, ${faults} continuity faults, ${failed} viewer errors`)
  }
}

/** While a camera is coming back there is no session yet to replace, and the gateway would say so. */
async function rollOver(admin: GatewayAdmin, stream: string): Promise<void> {
  const { session } = await admin.stream(stream)
  if (session !== null) await admin.order(stream, 'rollover')
}
