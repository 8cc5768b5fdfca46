import { afterEach, beforeAll, describe, expect, test } from 'vitest'
import type { FaultInput } from '../../src/emulator/service/fault.ts'
import { readBoxes } from '../proof/boxes.ts'
import { ContinuityMonitor } from '../proof/continuity-monitor.ts'
import { digest } from '../proof/origin.ts'
import { ManualClock } from '../support/manual-clock.ts'
import { during, pass } from '../support/pace.ts'
import { cameraOf, startWorld, type World } from '../support/world.ts'
import { newestMsn } from './support/listing.ts'

const LOBBY = cameraOf('lobby')
/** The emulator's clip begins again after this long. */
const LOOP_MS = 16_000

const OPERATIONS = [
  'GetDataEndpoint',
  'GetHLSStreamingSessionURL',
  'GetHLSMasterPlaylist',
  'GetHLSMediaPlaylist',
  'GetMP4InitFragment',
  'GetMP4MediaFragment',
] as const

const FAULTS: readonly FaultInput[] = [
  { kind: 'status', status: 500 },
  { kind: 'status', status: 503, type: 'ServiceUnavailable' },
  { kind: 'html', status: 200 },
  { kind: 'refuse' },
  { kind: 'reset' },
  { kind: 'truncate' },
  { kind: 'garbage' },
  { kind: 'empty' },
  { kind: 'latency', ms: 30_000 },
  { kind: 'slow', bytesPerSecond: 50 },
]

let clock: ManualClock
let world: World
afterEach(() => during(clock, world.close()))

async function start(): Promise<void> {
  clock = new ManualClock()
  world = await startWorld({ clock, defaults: { activation: 'always' } })
  await pass(clock, 10_000)
}

/** Looks each second at all that is listed, from now on until `stop` resolves to all that it saw. */
function watch(): { stop(): Promise<ContinuityMonitor> } {
  const end = new AbortController()
  const options = { clock, signal: end.signal, everyMs: 1_000 }
  const monitor = new ContinuityMonitor(world.watchUrl(), options)
  const watching = monitor.follow()
  return {
    async stop() {
      end.abort()
      await during(clock, watching)
      return monitor
    },
  }
}

/** What a decoder gets of each segment: its samples, without the times that are ours. */
function samplesOf(monitor: ContinuityMonitor): readonly string[] {
  return ['video', 'audio'].flatMap((rendition) =>
    readBoxes(monitor.joined(rendition))
      .filter(({ type }) => type === 'mdat')
      .map(({ body }) => `${rendition} ${digest(body)}`),
  )
}

/** The samples of all fragments of the clip, as they come when nothing is wrong. */
let genuine: ReadonlySet<string>

beforeAll(async () => {
  await start()
  const watching = watch()
  await pass(clock, 2 * LOOP_MS)
  genuine = new Set(samplesOf(await watching.stop()))
  await during(clock, world.close())
  // Eight fragments of video; the sound is the same again after half of them.
  expect(genuine.size).toBe(8 + 4)
})

describe.each(OPERATIONS)('G12: trouble with %s', (operation) => {
  test('what is listed stays, nothing unverified is served, and it ends', async () => {
    await start()
    const watching = watch()

    for (const [i, fault] of FAULTS.entries()) {
      // Now and then a call goes well, which is harder to get right than none.
      const probability = i % 2 === 0 ? 1 : 0.5
      const last = await during(clock, newestMsn(world.watchUrl()))
      world.control.addFault(LOBBY, { ...fault, operation, probability })
      // Calls that make sessions are only made when one is needed.
      world.control.revoke(LOBBY)
      await pass(clock, 8_000)
      world.control.clearFaults(LOBBY)
      await pass(clock, 16_000)
      expect(await during(clock, newestMsn(world.watchUrl())), fault.kind).toBeGreaterThan(last + 3)
    }

    const monitor = await watching.stop()
    expect(monitor.report().faults).toEqual([])
    const samples = samplesOf(monitor)
    expect(samples.filter((each) => !genuine.has(each))).toEqual([])
    expect(samples.length).toBeGreaterThan(100)
    expect(world.counters().quotaViolations).toEqual({})
  })
})
