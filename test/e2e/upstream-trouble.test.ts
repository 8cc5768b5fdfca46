import { createHash } from 'node:crypto'
import { afterEach, beforeAll, describe, expect, test } from 'vitest'
import type { FaultInput } from '../../src/emulator/service/fault.ts'
import { only, readBoxes } from '../proof/boxes.ts'
import { ContinuityMonitor } from '../proof/continuity-monitor.ts'
import { type Incident, Viewer } from '../proof/viewer.ts'
import { ManualClock } from '../support/manual-clock.ts'
import { during, pass } from '../support/pace.ts'
import { cameraOf, startWorld, type World } from '../support/world.ts'
import { get, newestMsn, type Offer, offers } from './support/listing.ts'

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

/** What a decoder gets of a segment: its samples, without the times that are ours. */
function samplesOf(segment: Buffer): string {
  const { body } = only(readBoxes(segment), 'mdat')
  return createHash('sha256').update(body).digest('hex')
}

/** Fetches every segment that is listed, each second, and keeps what its samples were. */
class Collector {
  readonly samples = new Map<string, string>()
  readonly #stop = new AbortController()
  readonly #collecting = this.#collect()

  async stop(): Promise<void> {
    this.#stop.abort()
    await during(clock, this.#collecting)
  }

  async #collect(): Promise<void> {
    while (!this.#stop.signal.aborted) {
      const fresh = (await offers(world.watchUrl())).filter(({ url }) => !this.samples.has(url))
      await Promise.all(fresh.map((offer) => this.#take(offer)))
      await clock.sleep(1_000, this.#stop.signal).catch(() => {})
    }
  }

  async #take({ url, rendition }: Offer): Promise<void> {
    this.samples.set(url, `${rendition} ${samplesOf((await get(url)).body)}`)
  }
}

/** The samples of all fragments of the clip, as they come when nothing is wrong. */
let genuine: ReadonlySet<string>

beforeAll(async () => {
  await start()
  const collector = new Collector()
  await pass(clock, 2 * LOOP_MS)
  await collector.stop()
  genuine = new Set(collector.samples.values())
  await during(clock, world.close())
  // Eight fragments of video; the sound is the same again after half of them.
  expect(genuine.size).toBe(8 + 4)
})

describe.each(OPERATIONS)('G12: trouble with %s', (operation) => {
  test('what is listed stays, nothing unverified is served, and it ends', async () => {
    await start()
    const end = new AbortController()
    const incidents: Incident[] = []
    const onIncident = (incident: Incident): void => void incidents.push(incident)
    const options = { clock, signal: end.signal }
    const watching = new Viewer(world.watchUrl(), { ...options, onIncident }).watch()
    const monitor = new ContinuityMonitor(world.watchUrl(), options)
    const monitoring = monitor.follow()
    const collector = new Collector()

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

    await collector.stop()
    end.abort()
    await during(clock, Promise.all([watching, monitoring]))
    expect(incidents.filter(({ kind }) => kind !== 'stall')).toEqual([])
    expect(monitor.report().faults).toEqual([])
    const strange = [...collector.samples].filter(([, samples]) => !genuine.has(samples))
    expect(strange).toEqual([])
    expect(collector.samples.size).toBeGreaterThan(100)
    expect(world.counters().quotaViolations).toEqual({})
  })
})
