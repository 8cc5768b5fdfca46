import { ContinuityMonitor, type MonitorReport } from '../../proof/continuity-monitor.ts'
import { type Decoded, decodeEach, type PacketGap } from '../../proof/decode.ts'
import type { Tolerances } from '../../proof/media-rules.ts'
import { ManualClock } from '../../support/manual-clock.ts'
import { during, pass } from '../../support/pace.ts'
import { startWorld, type World, type WorldOptions } from '../../support/world.ts'

/** What two independent judges say of all that was shown so far. */
export interface Verdict
  extends Pick<MonitorReport, 'faults' | 'discontinuities' | 'missed' | 'segments'> {
  /** By rendition. */
  readonly decoded: Readonly<Record<string, DecodedRendition>>
}

export interface DecodedRendition {
  readonly warnings: readonly string[]
  readonly gaps: readonly PacketGap[]
  readonly frames: number
  /** Stretches between discontinuities. */
  readonly runs: number
}

/** A world on a clock of its own, and a monitor that watches its stream `lobby` each second. */
export interface Stage extends AsyncDisposable {
  readonly clock: ManualClock
  readonly world: World
  /** Whether the monitor looks; from the first moment until a test says otherwise. */
  watching: boolean
  /** Lets time pass, in milliseconds. */
  pass(ms: number): Promise<void>
  /** Asks the operators' API for a new session. */
  rollOver(): Promise<void>
  /** What the monitor found until now. */
  report(): MonitorReport
  verdict(): Promise<Verdict>
}

const RENDITIONS = ['video', 'audio'] as const

export interface StageOptions extends Omit<WorldOptions, 'clock'> {
  readonly tolerances?: Partial<Tolerances>
  /** When it begins, in milliseconds since 1970. */
  readonly startMs?: number
}

export async function startStage(options: StageOptions = {}): Promise<Stage> {
  const { tolerances = {}, startMs } = options
  const clock = new ManualClock(startMs)
  const world = await startWorld({ ...options, clock })
  const end = new AbortController()
  const monitor = new ContinuityMonitor(world.watchUrl(), { clock, signal: end.signal, tolerances })
  const stage: Stage = {
    clock,
    world,
    watching: true,
    pass: (ms) => pass(clock, ms),
    rollOver: () => during(clock, world.admin.order('lobby', 'rollover')),
    report: () => monitor.report(),
    verdict: () => judge(monitor),
    async [Symbol.asyncDispose]() {
      end.abort()
      await during(clock, watched)
      await during(clock, world.close())
    },
  }
  const watched = watch(stage, monitor, end.signal)
  return stage
}

/** Polls each second of the clock while somebody shall watch, until `signal` aborts. */
export async function watch(
  stage: Pick<Stage, 'clock' | 'watching'>,
  monitor: ContinuityMonitor,
  signal: AbortSignal,
): Promise<void> {
  try {
    for (;;) {
      if (stage.watching) await monitor.poll()
      await stage.clock.sleep(2_000, signal)
    }
  } catch (error) {
    if (!signal.aborted) throw error
  }
}

/** What the monitor found until now, and what a decoder says of the bytes that it saw. */
export async function judge(monitor: ContinuityMonitor): Promise<Verdict> {
  const { faults, discontinuities, missed, segments } = monitor.report()
  const runs = RENDITIONS.flatMap((name) => monitor.runs(name).map((media) => ({ name, media })))
  const results = await decodeEach(runs.map(({ media }) => media))
  const decoded: Record<string, DecodedRendition> = {}
  for (const name of RENDITIONS) {
    const own = results.filter((_, i) => runs[i]?.name === name)
    if (own.length > 0) decoded[name] = together(own)
  }
  return { faults, discontinuities, missed, segments, decoded }
}

function together(runs: readonly Decoded[]): DecodedRendition {
  const streams = runs.flatMap((run) => run.streams)
  return {
    warnings: runs.flatMap(({ warnings }) => warnings),
    gaps: streams.flatMap(({ gaps }) => gaps),
    frames: streams.reduce((sum, { frames }) => sum + frames, 0),
    runs: runs.length,
  }
}

/** Stops the gateway, does something, and starts it `awayMs` later, perhaps with other `defaults`. */
export async function restart(
  stage: Stage,
  {
    awayMs = 0,
    meanwhile,
    defaults,
  }: {
    awayMs?: number
    meanwhile?: () => Promise<void>
    defaults?: Readonly<Record<string, unknown>>
  } = {},
): Promise<void> {
  stage.watching = false
  await stage.pass(1_000)
  await during(stage.clock, stage.world.stopGateway())
  await meanwhile?.()
  await stage.pass(awayMs)
  await stage.world.startGateway(defaults)
  stage.watching = true
}

/** Why players had to reset, in the order of the list. */
export function discontinuities({ world }: Stage): readonly unknown[] {
  return world.lines
    .filter(({ event }) => event === 'discontinuity')
    .map(({ fields }) => fields['cause'])
}
