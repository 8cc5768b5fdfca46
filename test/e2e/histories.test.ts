import { expect, test } from 'vitest'
import type { CameraConfigInput } from '../../src/emulator/config.ts'
import type { Emulator } from '../../src/emulator/emulator.ts'
import { between, pick, seededRandom } from '../proof/seeded-random.ts'
import { cameraOf } from '../support/world.ts'
import { type Stage, startStage } from './support/stage.ts'

type Event = Parameters<Emulator['control']['order']>[1]

const EVENTS: readonly (Event | 'roll over' | 'revoke')[] = [
  'roll over',
  'revoke',
  { type: 'drop' },
  { type: 'drop', count: 3 },
  { type: 'overlap', ms: 300 },
  { type: 'overlap', ms: 30 },
  { type: 'skew', ms: 40 },
  { type: 'skew', ms: -40 },
  { type: 'skew', ms: 5_321 },
  { type: 'skew', ms: -7_321 },
  { type: 'skew', ms: -2_000 },
  { type: 'drift', ppm: 900 },
  { type: 'drift', ppm: -900 },
  { type: 'alternate', count: 5, ms: 123 },
  { type: 'alternate', count: 4, every: 2, ms: -30_000 },
  { type: 'codec-private-data' },
  { type: 'codec-private-data', changes: 4 },
  { type: 'clip', clip: 'av-360p' },
  { type: 'clip', clip: 'av-360p' },
  { type: 'clip', clip: 'av-720p' },
  { type: 'clip', clip: 'hevc' },
  { type: 'clip', clip: 'audio-only' },
  { type: 'giant', bytes: 2_000_000 },
  { type: 'tracks', video: true, audio: false },
  { type: 'tracks', video: true, audio: true },
  { type: 'duplicate' },
  { type: 'duplicate', lag: 1 },
  { type: 'late', ms: 2_500 },
  { type: 'reconnect' },
  { type: 'stop' },
  { type: 'resume' },
  { type: 'resume' },
]

const CAMERAS: readonly CameraConfigInput[] = [
  {},
  { tfdtBase: 'session' },
  { tfdtBase: 'fragment', mapSequenceNumber: false },
  { tfdtBase: 'session', fragmentUri: 'index' },
  { silence: 'frozen', reviveAfterSilence: true, ingestJitterMs: 700 },
  { silence: 'empty', mapSequenceNumber: false },
  { clip: 'av-360p-irregular', tfdtBase: 'session' },
]
const CLOCKS = ['PRODUCER_TIMESTAMP', 'SERVER_TIMESTAMP'] as const

/**
 * Steps of a camera's clock within 50 ms are no discontinuity, and several that add up show as a step of
 * at most that; so does media that is sent again under a new date, whose sound and picture do not fit.
 */
const tolerances = { jumpMs: 50 }

test.each([1, 2, 3])(
  'G1–G7: whatever happens to a camera and its sessions, the list is true: seed %d',
  async (seed) => {
    const random = seededRandom(seed)
    const camera = { clip: 'av-360p', ...pick(random, CAMERAS) } as const
    const kvs = { expires: '5m', fragmentSelectorType: pick(random, CLOCKS) }
    // Other clips have fragments of two seconds.
    const defaults = { kvs, minTargetDuration: '2s' }
    const options = { cameras: { lobby: camera }, defaults, seed, tolerances }
    await using stage = await startStage(options)
    await stage.pass(10_000)
    for (let i = 0; i < 40; i += 1) {
      await trouble(stage, pick(random, EVENTS))
      await stage.pass(between(random, 100, 8_000))
    }
    stage.world.control.resumeProducer(cameraOf())
    await stage.pass(40_000)

    const { faults, segments, missed } = stage.report()
    expect(faults).toEqual([])
    expect(missed).toBe(0)
    expect(segments).toBeGreaterThan(40)
    expect((await stage.world.admin.stream('lobby')).state).toBe('live')
  },
)

async function trouble(stage: Stage, what: (typeof EVENTS)[number]): Promise<void> {
  const { control, admin } = stage.world
  if (what === 'revoke') control.revoke(cameraOf())
  else if (what !== 'roll over') control.order(cameraOf(), what)
  // While the camera is away there is nothing to replace.
  else if ((await admin.stream('lobby')).session !== null) await stage.rollOver()
}
