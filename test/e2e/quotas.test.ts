import { afterEach, describe, expect, test } from 'vitest'
import type { CameraConfigInput } from '../../src/emulator/config.ts'
import { type Incident, Viewer } from '../proof/viewer.ts'
import { ManualClock } from '../support/manual-clock.ts'
import { during, pass } from '../support/pace.ts'
import { ask } from '../support/raw-http.ts'
import { cameraOf, startWorld, type World, type WorldOptions } from '../support/world.ts'
import { get, newestMsn, offers } from './support/listing.ts'

const LOBBY = cameraOf('lobby')

/** Hard limits of KVS per second and session. KVS.md, section 10. */
const PER_SESSION: Readonly<Record<string, number>> = {
  GetHLSMasterPlaylist: 5,
  GetHLSMediaPlaylist: 5,
  GetMP4InitFragment: 5,
  GetMP4MediaFragment: 20,
}
/** Per stream; of the points, the half that we allow ourselves. */
const PER_STREAM: Readonly<Record<string, number>> = {
  getDataEndpoint: 5,
  getHlsStreamingSessionUrl: 25,
  metadataPoints: 5_000,
  mediaPoints: 250,
}

let clock: ManualClock
let world: World

async function start(options: Omit<WorldOptions, 'clock'> = {}): Promise<void> {
  clock = new ManualClock()
  world = await startWorld({ clock, defaults: { activation: 'always' }, ...options })
}
afterEach(() => during(clock, world.close()))

function exceeded(
  used: Readonly<Record<string, number>>,
  limits: Readonly<Record<string, number>>,
): readonly string[] {
  return Object.entries(limits).flatMap(([name, limit]) => {
    const most = used[name] ?? 0
    return most > limit ? [`${name}: ${most} of ${limit}`] : []
  })
}

/** Every limit that was passed in any one second since the world began, by the emulator's own count. */
function violations(stream = 'lobby'): readonly string[] {
  const camera = cameraOf(stream)
  const sessions = world.control.counters().sessions.filter((session) => session.camera === camera)
  const { maxPerSecond, quotaViolations } = world.counters(stream)
  return [
    ...Object.keys(quotaViolations),
    ...exceeded(maxPerSecond, PER_STREAM),
    ...sessions.flatMap((session) => [
      ...Object.keys(session.quotaViolations),
      ...exceeded(session.maxPerSecond, PER_SESSION),
    ]),
  ]
}

function calls(operation: string, status?: number): number {
  const byStatus = world.counters().calls[operation] ?? {}
  const chosen = status === undefined ? Object.values(byStatus) : [byStatus[status] ?? 0]
  return chosen.reduce((sum, count) => sum + count, 0)
}

/** Viewers from now on; `stop` says what went wrong for any of them. */
function audience(count: number): { stop(): Promise<readonly Incident[]> } {
  const incidents: Incident[] = []
  const end = new AbortController()
  const watching = Array.from({ length: count }, () => {
    const onIncident = (incident: Incident): void => void incidents.push(incident)
    return new Viewer(world.watchUrl(), { clock, signal: end.signal, onIncident }).watch()
  })
  return {
    async stop() {
      end.abort()
      await during(clock, Promise.all(watching))
      return incidents
    },
  }
}

const CAMERAS: readonly (readonly [string, CameraConfigInput])[] = [
  ['fragments of one second', { clip: 'av-360p' }],
  ['fragments of two seconds', { clip: 'av-720p' }],
  ['irregular fragments', { clip: 'av-360p-irregular' }],
  ['fragments that are listed late and unevenly', { ingestLatencyMs: 900, ingestJitterMs: 2_500 }],
  ['a clock that is off', { events: [{ event: { type: 'skew', ms: 5_400 } }] }],
]

describe.each(CAMERAS)('G9: with %s', (_what, lobby) => {
  test('no second of a start, a steady minute and a storm of roll-overs is over quota', async () => {
    await start({ cameras: { lobby } })
    const viewers = audience(2)
    await pass(clock, 60_000)
    expect(violations()).toEqual([])
    for (let i = 0; i < 30; i += 1) {
      if (i % 3 === 0) world.control.revoke(LOBBY)
      else
        await during(
          clock,
          world.admin.order('lobby', 'rollover').catch(() => {}),
        )
      await pass(clock, 700)
    }
    await pass(clock, 30_000)
    expect(violations()).toEqual([])
    expect((await viewers.stop()).filter(({ kind }) => kind !== 'stall')).toEqual([])
  })
})

test('G9: a hundred starts and stops of a stream stay within quota', async () => {
  await start()
  for (let i = 0; i < 100; i += 1) {
    await during(clock, world.admin.order('lobby', i % 2 === 0 ? 'stop' : 'start'))
    await pass(clock, 50)
  }
  await pass(clock, 5_000)
  expect(violations()).toEqual([])
  await during(clock, get(world.watchUrl()))
})

test('G9: several streams of one camera share its quota', async () => {
  const kvs = { kvs: { streamName: LOBBY } }
  const names = ['lobby', 'copy-1', 'copy-2', 'copy-3', 'copy-4', 'copy-5', 'copy-6', 'copy-7']
  await start({ config: { streams: Object.fromEntries(names.map((name) => [name, kvs])) } })
  await pass(clock, 10_000)
  expect(violations()).toEqual([])
  for (const name of names) await during(clock, get(world.watchUrl(name)))
})

test('G9: fetching again what has left memory waits its turn, and the live path goes first', async () => {
  const defaults = { window: 60, activation: 'always' }
  await start({ cameras: { lobby: { clip: 'av-360p' } }, cache: { maxBytes: '1MiB' }, defaults })
  await pass(clock, 70_000)
  const listed = await during(clock, offers(world.watchUrl()))
  const before = calls('GetMP4MediaFragment')
  const all = Promise.all(listed.map(({ url }) => ask(url)))
  const last = await during(clock, newestMsn(world.watchUrl()))
  await pass(clock, 2_500)
  expect(await during(clock, newestMsn(world.watchUrl()))).toBeGreaterThanOrEqual(last + 2)
  const statuses = new Set((await during(clock, all)).map(({ status }) => status))
  // What finds no room to be fetched into is refused, rather than let memory grow.
  expect([...statuses].filter((status) => status !== 503)).toEqual([200])
  expect(calls('GetMP4MediaFragment') - before).toBeGreaterThan(40)
  expect(violations()).toEqual([])
})

describe.each([400, 429] as const)('G9: throttled with status %d', (status) => {
  const throttle = (quotas: Readonly<Record<string, number>>): void =>
    void world.control.patchCamera(LOBBY, { quotas: { status, ...quotas } })

  test.each([
    ['media playlists', { mediaPlaylist: 0 }, { mediaPlaylist: 5 }],
    ['fragments', { mediaFragment: 0 }, { mediaFragment: 20 }],
    ['points', { metadataPoints: 0, mediaPoints: 0 }, { metadataPoints: 10_000, mediaPoints: 500 }],
  ])(
    'in its %s, the gateway slows down, serves what it has, and recovers',
    async (_what, none, all) => {
      await start()
      await pass(clock, 20_000)
      const viewers = audience(2)
      await pass(clock, 5_000)
      const last = await during(clock, newestMsn(world.watchUrl()))
      world.control.resetCounters()
      throttle(none)
      await pass(clock, 12_000)
      const asked = Object.values(world.counters().calls).flatMap((by) => by[status] ?? 0)
      expect(asked.reduce((sum, n) => sum + n, 0)).toBeLessThanOrEqual(12 * 5)
      throttle(all)
      await pass(clock, 15_000)
      expect(await during(clock, newestMsn(world.watchUrl()))).toBeGreaterThan(last + 3)
      expect((await viewers.stop()).filter(({ kind }) => kind !== 'stall')).toEqual([])
    },
  )

  test('when it wants sessions, the gateway asks ever more seldom, and recovers', async () => {
    await start()
    await pass(clock, 10_000)
    throttle({ getHlsStreamingSessionUrl: 0 })
    world.control.resetCounters()
    world.control.revoke(LOBBY)
    await pass(clock, 20_000)
    const early = calls('GetHLSStreamingSessionURL')
    await pass(clock, 60_000)
    const late = calls('GetHLSStreamingSessionURL') - early
    expect(early).toBeGreaterThanOrEqual(3)
    expect(late / 60).toBeLessThan(early / 20)
    throttle({ getHlsStreamingSessionUrl: 25 })
    const last = await during(clock, newestMsn(world.watchUrl()))
    await pass(clock, 35_000)
    expect(await during(clock, newestMsn(world.watchUrl()))).toBeGreaterThan(last)
  })
})
