import { readBoxes } from '../../proof/boxes.ts'
import { ContinuityMonitor, type MonitorReport } from '../../proof/continuity-monitor.ts'
import { decodeWithoutWarning, type PacketGap } from '../../proof/decode.ts'
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
  /** Pieces of one init segment each: 1 unless EXT-X-MAP changed. */
  readonly pieces: number
}

/** A world on a clock of its own, and a monitor that watches its stream `lobby` from the first moment. */
export interface Stage extends AsyncDisposable {
  readonly clock: ManualClock
  readonly world: World
  /** Lets time pass, in milliseconds. */
  pass(ms: number): Promise<void>
  /** Asks the operators' API for a new session. */
  rollOver(): Promise<void>
  /** What the monitor found until now. */
  report(): MonitorReport
  verdict(): Promise<Verdict>
}

const RENDITIONS = ['video', 'audio'] as const

export async function startStage(options: Omit<WorldOptions, 'clock'> = {}): Promise<Stage> {
  const clock = new ManualClock()
  const world = await startWorld({ ...options, clock })
  const watching = new AbortController()
  const { signal } = watching
  const monitor = new ContinuityMonitor(world.watchUrl(), { clock, signal, everyMs: 1_000 })
  const watched = monitor.follow()
  return {
    clock,
    world,
    pass: (ms) => pass(clock, ms),
    rollOver: () => during(clock, world.admin.order('lobby', 'rollover')),
    report: () => monitor.report(),
    verdict: () => judge(monitor),
    async [Symbol.asyncDispose]() {
      watching.abort()
      await during(clock, watched)
      await during(clock, world.close())
    },
  }
}

async function judge(monitor: ContinuityMonitor): Promise<Verdict> {
  const { faults, discontinuities, missed, segments } = monitor.report()
  const decoded: Record<string, DecodedRendition> = {}
  for (const name of RENDITIONS) {
    const joined = monitor.joined(name)
    if (joined.length > 0) decoded[name] = await decode(joined)
  }
  return { faults, discontinuities, missed, segments, decoded }
}

async function decode(joined: Buffer): Promise<DecodedRendition> {
  const pieces = cutAtInits(joined)
  const results = []
  for (const piece of pieces) results.push(await decodeWithoutWarning(piece))
  const streams = results.flatMap((result) => result.streams)
  return {
    warnings: results.flatMap(({ warnings }) => warnings),
    gaps: streams.flatMap(({ gaps }) => gaps),
    frames: streams.reduce((sum, { frames }) => sum + frames, 0),
    pieces: pieces.length,
  }
}

/** ffmpeg reads one init segment a file. */
function cutAtInits(joined: Buffer): readonly Buffer[] {
  const starts = readBoxes(joined)
    .filter(({ type }) => type === 'ftyp')
    .map(({ start }) => start)
  return starts.map((start, i) => joined.subarray(start, starts[i + 1]))
}
