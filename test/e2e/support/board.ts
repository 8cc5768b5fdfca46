import type { CameraConfigInput } from '../../../src/emulator/config.ts'
import { ContinuityMonitor } from '../../proof/continuity-monitor.ts'
import type { Tolerances } from '../../proof/media-rules.ts'
import { ManualClock } from '../../support/manual-clock.ts'
import { during, pass } from '../../support/pace.ts'
import { cameraOf, startWorld, type World } from '../../support/world.ts'
import { judge, type Verdict } from './stage.ts'

/** One stream of a board: its camera, and how the gateway asks for it. */
export interface BoardRow {
  readonly name: string
  readonly camera: CameraConfigInput
  readonly kvs: Readonly<Record<string, unknown>>
  readonly tolerances?: Partial<Tolerances>
  /** Other keys of the stream. */
  readonly settings?: Readonly<Record<string, unknown>>
}

/** Many streams in one world, each watched by a monitor of its own, once a second. */
export interface Board extends AsyncDisposable {
  readonly world: World
  pass(ms: number): Promise<void>
  rollOver(names: readonly string[]): Promise<void>
  verdict(name: string): Promise<Verdict>
}

export async function startBoard(rows: readonly BoardRow[]): Promise<Board> {
  const clock = new ManualClock()
  const world = await startWorld({
    clock,
    cameras: Object.fromEntries(rows.map(({ name, camera }) => [name, camera])),
    config: { streams: Object.fromEntries(rows.map(streamOf)) },
  })
  const end = new AbortController()
  const monitors = new Map(
    rows.map(({ name, tolerances = {} }) => {
      const options = { clock, signal: end.signal, keepBytes: KEEP_BYTES, tolerances }
      return [name, new ContinuityMonitor(world.watchUrl(name), options)] as const
    }),
  )
  const watching = [...monitors.values()].map((monitor) => watch(monitor, clock, end.signal))
  return {
    world,
    pass: (ms) => pass(clock, ms),
    async rollOver(names) {
      for (const name of names) await during(clock, world.admin.order(name, 'rollover'))
    },
    async verdict(name) {
      const monitor = monitors.get(name)
      if (monitor === undefined) throw new RangeError(`no row ${name}`)
      return judge(monitor)
    },
    async [Symbol.asyncDispose]() {
      end.abort()
      await during(clock, Promise.all(watching))
      await during(clock, world.close())
    },
  }
}

const KEEP_BYTES = 8 * 1024 * 1024

function streamOf({ name, kvs, settings }: BoardRow): readonly [string, object] {
  return [name, { ...settings, kvs: { streamName: cameraOf(name), ...kvs } }]
}

async function watch(
  monitor: ContinuityMonitor,
  clock: ManualClock,
  signal: AbortSignal,
): Promise<void> {
  try {
    for (;;) {
      await monitor.poll()
      await clock.sleep(2_000, signal)
    }
  } catch (error) {
    if (!signal.aborted) throw error
  }
}
