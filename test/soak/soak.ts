import { systemClock } from '../../src/base/clock.ts'
import { ContinuityMonitor, type MonitorReport } from '../proof/continuity-monitor.ts'
import type { CallFault } from '../proof/emulator-control.ts'
import type { GatewayAdmin } from '../proof/gateway-admin.ts'
import { processUsage } from '../proof/process-usage.ts'
import { cameraOf, type Product, startProduct } from '../proof/product.ts'
import { seededRandom } from '../proof/seeded-random.ts'
import { welcome } from './arrivals.ts'
import { Audience } from './audience.ts'
import {
  SOAK_CAMERAS,
  SOAK_PATTERNS,
  SOAK_STREAMS,
  type SoakCamera,
  type SoakStream,
  soakEntries,
  WILD_STREAM,
} from './cameras.ts'
import { Excuses } from './excuses.ts'
import { gatherTotals, gatherUpstream } from './gather.ts'
import { MemoryWatch } from './memory-watch.ts'
import { OwnPauses } from './own-pauses.ts'
import type { SoakReport } from './report.ts'
import { TroubleMaker } from './trouble-maker.ts'
import type { Victim } from './troubles.ts'
import { WildOrigin } from './wild-origin.ts'

export interface SoakOptions {
  readonly minutes: number
  readonly viewers: number
  readonly seed: number
  /** Ends the soak early; the report then covers what there was. */
  readonly signal: AbortSignal
  readonly log: (line: string) => void
}

/** What a process takes in this time says nothing of leaks. */
export const WARM_UP_MS = 180_000
const clock = systemClock

/** Runs the whole product under trouble and viewers, and reports what they saw. */
export async function soak(options: SoakOptions): Promise<SoakReport> {
  const { minutes, log } = options
  log(`starting emulator and gateway; ${minutes} minutes, seed ${options.seed}`)
  const excuses = new Excuses(followed)
  const random = seededRandom(options.seed + 1)
  const wild = await WildOrigin.start({ clock, random, excuses, log })
  try {
    const product = await startProduct({
      cameras: SOAK_CAMERAS,
      streams: [],
      entries: (url) => soakEntries(url, wild.url),
      dynamicStreams: SOAK_PATTERNS,
      diskMaxBytes: '512MiB',
      // Cameras of one-second fragments may come to send some of two seconds.
      defaults: { activation: 'always', minTargetDuration: '2s', kvs: { expires: '5m' } },
    })
    wild.show(new URL(product.watchUrl('entrance')))
    try {
      return await watchItSuffer(product, wild, excuses, options)
    } finally {
      await product.stop()
    }
  } finally {
    await wild.close()
  }
}

async function watchItSuffer(
  product: Product,
  wild: WildOrigin,
  excuses: Excuses,
  options: SoakOptions,
): Promise<SoakReport> {
  const { minutes, viewers, seed, log } = options
  const end = AbortSignal.any([options.signal, AbortSignal.timeout(minutes * 60_000)])
  const startedMs = clock.now()
  const pauses = new OwnPauses(clock)
  const audience = new Audience(excuses, pauses, log)
  const memory = new MemoryWatch(() => processUsage(product.process.pid), clock)
  const monitors = SOAK_STREAMS.map(({ name, follows }) => {
    const tolerances = follows === undefined ? {} : { seamlessMs: 0 }
    return new ContinuityMonitor(product.watchUrl(name), { signal: end, keepBytes: 0, tolerances })
  })
  const troubleMaker = new TroubleMaker({
    clock,
    signal: end,
    random: seededRandom(seed),
    excuses,
    log,
    victims: victimsOf(product, { signal: end, log }),
  })
  await Promise.all([
    memory.run(end),
    pauses.run(end),
    troubleMaker.run(),
    wild.run(WILD_STREAM, end),
    ...monitors.map((monitor) => monitor.follow()),
    welcome({ product, audience, clock, seed, signal: end }, viewers),
    progress(log, () => monitors.map((monitor) => monitor.report()), audience, end),
  ])
  return {
    ranMs: clock.now() - startedMs,
    seed,
    gatewayRunning: product.process.running,
    gatewayLines: product.process.lines,
    monitors: monitors.map((monitor) => monitor.report()),
    audience: audience.report(),
    longestOwnPauseMs: pauses.longestMs,
    troubles: { ...Object.fromEntries(troubleMaker.counts), ...wild.counts },
    troubleFailures: troubleMaker.failures,
    upstream: await gatherUpstream(product, SOAK_STREAMS, log),
    totals: await gatherTotals(product),
    memory: [['Gateway: RSS', memory.report(WARM_UP_MS)]],
  }
}

/** Relays suffer what the streams that they follow suffer. */
const followed: ReadonlyMap<string, string> = new Map(
  SOAK_STREAMS.flatMap(({ name, follows }) => (follows === undefined ? [] : [[name, follows]])),
)

function victimsOf(
  product: Product,
  options: Pick<SoakOptions, 'signal' | 'log'>,
): ReadonlyMap<string, Victim> {
  return new Map(
    SOAK_STREAMS.flatMap((stream) => {
      const [camera] = stream.cameras
      return camera === undefined ? [] : [[stream.name, victimOf(product, stream, camera, options)]]
    }),
  )
}

function victimOf(
  { control, admin }: Product,
  { name, hasBackup, isTs, coveredWithinMs }: SoakStream,
  first: SoakCamera,
  { signal, log }: Pick<SoakOptions, 'signal' | 'log'>,
): Victim {
  const camera = cameraOf(first)
  let clip: unknown = SOAK_CAMERAS[first].clip
  return {
    event: async (event) => {
      log(`  ${JSON.stringify(event)}`)
      await control.event(camera, event)
      clip = event['clip'] ?? clip
    },
    clip: () => String(clip),
    fault: (meant) => {
      const fault = isTs === true ? inTs(meant) : meant
      log(`  ${JSON.stringify(fault)}`)
      return control.fault(camera, fault)
    },
    clearFaults: () => control.clearFaults(camera),
    revokeSessions: () => control.revokeSessions(camera),
    rollOver: () => rollOver(admin, name),
    force: hasBackup === true ? (source) => admin.force(name, source) : undefined,
    coveredWithinMs,
    sleep: (ms) => clock.sleep(ms, signal),
  }
}

/** In MPEG-TS there is one kind of fragment, and nothing before it. */
function inTs(fault: CallFault): CallFault {
  const { operation } = fault
  const mp4 = typeof operation === 'string' && operation.startsWith('GetMP4')
  return mp4 ? { ...fault, operation: 'GetTSFragment' } : fault
}

/** Says each minute how it goes. */
export async function progress(
  log: (line: string) => void,
  monitors: () => readonly MonitorReport[],
  audience: Audience,
  signal: AbortSignal,
): Promise<void> {
  while (!signal.aborted) {
    await clock.sleep(60_000, signal).catch(() => {})
    const faults = monitors().reduce((sum, { total }) => sum + total, 0)
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
