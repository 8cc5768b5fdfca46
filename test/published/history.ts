import { cp, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as realSleep } from 'node:timers/promises'
import type { CameraConfigInput } from '../../src/emulator/config.ts'
import { ManualClock } from '../support/manual-clock.ts'
import { during, pass } from '../support/pace.ts'
import { quiet } from '../support/quiet.ts'
import { startWorld, type World } from '../support/world.ts'

export type Container = 'FRAGMENTED_MP4' | 'MPEG_TS'

export const START_MS = Date.UTC(2026, 0, 1)

/**
 * What happens to the camera, by seconds since the start: all that a list can tell of. While it pauses nothing
 * changes, however long the gateway takes to start, or a look at everything.
 */
const EVENTS = [
  { atS: -5, event: { type: 'stop' } },
  { atS: 9, event: { type: 'resume' } },
  // Two fragments that never come: a gap.
  { atS: 21, event: { type: 'drop', count: 2 } },
  { atS: 29, event: { type: 'codec-private-data' } },
  // Two that come late: a hole in the list, until they are inserted and a new edition begins.
  { atS: 37, event: { type: 'late', count: 2, ms: 35_000 } },
  { atS: 47, event: { type: 'stop' } },
  { atS: 62, event: { type: 'resume' } },
  { atS: 114, event: { type: 'stop' } },
] as const

const CAMERA: CameraConfigInput = {
  clip: 'av-720p',
  events: EVENTS.map(({ atS, event }) => ({ atMs: START_MS + atS * 1000, event })),
}

/** By seconds since the start, what a test does. */
export const ROLL_OVER_S = 13
export const FIRST_LOOK_S = 50
export const RESTART_S = 104
export const SECOND_LOOK_S = 118
/** The slate has taken over, and filled the time since the camera stopped. */
export const SLATE_S = 158

export interface History extends AsyncDisposable {
  readonly world: World
  readonly clock: ManualClock
  /** The gateway's state directory. */
  readonly dir: string
  /** Lets time pass until so many seconds after the start. */
  until: (seconds: number) => Promise<void>
  during: <T>(work: Promise<T>) => Promise<T>
}

/** Looks for an answer before time passes for it: only what waits for a quota or a session needs that. */
const LOOKS = 5
const STEP_MS = 100

async function keepOpen<T>(clock: ManualClock, work: Promise<T>): Promise<T> {
  let over = false
  const ended = work.finally(() => {
    over = true
  })
  ended.catch(() => {})
  for (;;) {
    for (let looks = 0; looks < LOOKS && !over; looks += 1) {
      await quiet()
      await Promise.race([realSleep(10), ended.catch(() => {})])
    }
    if (over) return ended
    await pass(clock, STEP_MS)
  }
}

/** Loads what a first session loads: afterwards nothing takes time but what the clock says. */
export async function warmUp(): Promise<void> {
  const clock = new ManualClock(START_MS)
  const world = await startWorld({ clock, defaults: { activation: 'always' } })
  await pass(clock, 30_000)
  await during(clock, world.close())
}

/**
 * A gateway with its camera, all of which follow from these few numbers: the same lists and bytes each time.
 * @param from what an earlier gateway saved, and when it begins, in seconds since the start
 */
export async function begin(
  containerFormat: Container,
  from?: { readonly state: string; readonly atS: number },
): Promise<History> {
  const dir = await mkdtemp(join(tmpdir(), 'kvs-golden-'))
  if (from !== undefined) await cp(from.state, dir, { recursive: true })
  const clock = new ManualClock(START_MS + (from?.atS ?? 0) * 1000)
  const world = await startWorld({
    clock,
    cameras: { lobby: CAMERA },
    cache: { dir },
    defaults: {
      activation: 'always',
      dvr: '3m',
      // As 5ea7d07 chose, before it was asked what KVS has recorded.
      minTargetDuration: '3s',
      onSignalLoss: 'slate',
      signalLossAfter: '20s',
      kvs: { containerFormat },
    },
  })
  return {
    world,
    clock,
    dir,
    until: (seconds) => pass(clock, START_MS + seconds * 1000 - clock.now()),
    during: (work) => keepOpen(clock, work),
    async [Symbol.asyncDispose]() {
      await during(clock, world.close())
      await rm(dir, { recursive: true, force: true })
    },
  }
}
