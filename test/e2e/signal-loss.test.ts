import { afterEach, describe, expect, test } from 'vitest'
import { z } from 'zod'
import type { CameraConfigInput } from '../../src/emulator/config.ts'
import { type Incident, Viewer } from '../proof/viewer.ts'
import { ManualClock } from '../support/manual-clock.ts'
import { during, pass, passUntil } from '../support/pace.ts'
import { ask } from '../support/raw-http.ts'
import { cameraOf, startWorld, type World, type WorldOptions } from '../support/world.ts'
import { get, newestMsn, type Offer, offers } from './support/listing.ts'

const LOBBY = cameraOf('lobby')
/** The cameras of this file send a fragment every two seconds, or every four at most. */
const FRAGMENT_MS = 2_000

let clock: ManualClock
let world: World

async function start(options: Omit<WorldOptions, 'clock'> = {}): Promise<void> {
  clock = new ManualClock()
  world = await startWorld({ clock, defaults: { activation: 'always' }, ...options })
  await pass(clock, 20_000)
}
afterEach(() => during(clock, world.close()))

const feedSchema = z.object({
  streams: z.array(
    z.looseObject({
      state: z.string(),
      reason: z.string().nullable(),
      since: z.number(),
      lastFragmentAt: z.number().nullable(),
    }),
  ),
})

/** What pages, the API and Prometheus say of the stream at one moment. */
async function told(): Promise<{
  feed: string
  api: string
  metric: string
  reason: string | null
}> {
  const { publicUrl, adminUrl } = world.gateway
  const [feed, api, metrics] = await during(
    clock,
    Promise.all([
      get(`${publicUrl}/web/feed`),
      world.admin.stream('lobby'),
      get(`${adminUrl}/metrics`),
    ]),
  )
  const [entry] = feedSchema.parse(JSON.parse(String(feed.body))).streams
  const state = /kvs_gateway_stream_state\{stream="lobby",state="(\w+)"\} 1/.exec(
    String(metrics.body),
  )
  expect(entry?.reason).toBe(api.reason)
  return { feed: entry?.state ?? '', api: api.state, metric: state?.[1] ?? '', reason: api.reason }
}

const saying = (state: string): object => ({ feed: state, api: state, metric: state })

const videoOf = (list: readonly Offer[]): readonly Offer[] =>
  list.filter(({ rendition }) => rendition === 'video')

function events(name: string): number {
  return world.lines.filter(({ event }) => event === name).length
}

const SILENCES: readonly (readonly [string, CameraConfigInput])[] = [
  ['404', { silence: 'not-found' }],
  ['a list that stands still', { silence: 'frozen' }],
  ['an empty list', { silence: 'empty' }],
  ['404, and new sessions that die at once', { silence: 'not-found', recentFragmentRule: false }],
  ['404, and goes on afterwards', { silence: 'not-found', reviveAfterSilence: true }],
  [
    'a list that stands still, and goes on afterwards',
    { silence: 'frozen', reviveAfterSilence: true },
  ],
]

describe.each(SILENCES)('a camera that stops while KVS answers with %s', (_silence, lobby) => {
  test('G11: keeps its URL, is told to be away, and goes on within one fragment of its return', async () => {
    await start({ cameras: { lobby } })
    expect(await told()).toMatchObject({ ...saying('live'), reason: null })
    const before = videoOf(await during(clock, offers(world.watchUrl())))
    const stoppedMs = clock.now()
    world.control.stopProducer(LOBBY)

    await pass(clock, 9_000)
    expect(await told()).toMatchObject(saying('live'))
    await pass(clock, 4_000)
    expect(await told()).toMatchObject(saying('stale'))
    await passUntil(clock, async () => (await told()).api === 'offline', 25_000)
    const awayMs = clock.now() - stoppedMs
    expect(awayMs).toBeGreaterThanOrEqual(28_000)
    expect(awayMs).toBeLessThanOrEqual(34_000)
    expect(await told()).toMatchObject({ ...saying('offline'), reason: 'no_media' })

    for (let minute = 0; minute < 2; minute += 1) {
      await pass(clock, 60_000)
      const held = videoOf(await during(clock, offers(world.watchUrl())))
      expect(held.at(-1)?.msn).toBeGreaterThanOrEqual(before.at(-1)?.msn ?? Infinity)
      for (const { url } of held) await during(clock, get(url))
    }

    const held = videoOf(await during(clock, offers(world.watchUrl())))
    world.control.resumeProducer(LOBBY)
    await passUntil(clock, () => firstListedMs() !== undefined, 10_000)
    const last = held.at(-1)?.msn ?? 0
    await passUntil(clock, async () => (await newestMsn(world.watchUrl())) > last, 60_000)
    expect(clock.now() - (firstListedMs() ?? 0)).toBeLessThanOrEqual(FRAGMENT_MS)
    expect(await told()).toMatchObject({ ...saying('live'), reason: null })

    await pass(clock, 10_000)
    const after = videoOf(await during(clock, offers(world.watchUrl()))).filter(
      ({ msn }) => msn > last,
    )
    expect(after.map(({ discontinuity }) => discontinuity)).toEqual([
      true,
      ...after.slice(1).map(() => false),
    ])
    expect(after[0]?.msn).toBe(last + 1)
    for (const { url } of after) await during(clock, get(url))
    expect([events('camera lost'), events('camera offline'), events('camera back')]).toEqual([
      1, 1, 1,
    ])
  })
})

test.each([
  ['of one second', 'av-360p', 1_000],
  ['of two seconds', 'av-720p', 2_000],
  ['of one to four seconds', 'av-360p-irregular', 4_000],
] as const)(
  'G11: a camera with fragments %s is seen within one of them, whenever it comes back',
  async (_what, clip, fragmentMs) => {
    await start({ cameras: { lobby: { clip } } })
    for (const outageMs of [31_000, 33_300, 47_900]) {
      world.control.stopProducer(LOBBY)
      await pass(clock, outageMs)
      const last = await during(clock, newestMsn(world.watchUrl()))
      world.control.resumeProducer(LOBBY)
      await passUntil(clock, async () => (await newestMsn(world.watchUrl())) > last, 60_000)
      expect(clock.now() - (firstListedMs() ?? 0)).toBeLessThanOrEqual(fragmentMs)
      await pass(clock, 3 * fragmentMs)
    }
    expect(events('camera back')).toBe(3)
    expect(world.counters().quotaViolations).toEqual({})
  },
)

test('G11: a pause that KVS bridges is one discontinuity and no loss of signal', async () => {
  await start()
  const last = await during(clock, newestMsn(world.watchUrl()))
  world.control.stopProducer(LOBBY)
  await pass(clock, 8_000)
  world.control.resumeProducer(LOBBY)
  await pass(clock, 9_000)
  const after = videoOf(await during(clock, offers(world.watchUrl()))).filter(
    ({ msn }) => msn > last,
  )
  expect(after.filter(({ discontinuity }) => discontinuity)).toHaveLength(1)
  expect([events('camera lost'), world.counters().sessionsOpened]).toEqual([0, 1])
})

test('G11: viewers who stay through an outage see stalls and nothing worse', async () => {
  await start()
  const incidents: Incident[] = []
  const stop = new AbortController()
  const viewers = Array.from({ length: 3 }, () => {
    const onIncident = (incident: Incident): void => void incidents.push(incident)
    return new Viewer(world.watchUrl(), { clock, signal: stop.signal, onIncident })
  })
  const watching = viewers.map((viewer) => viewer.watch())
  await pass(clock, 10_000)
  world.control.stopProducer(LOBBY)
  await pass(clock, 90_000)
  world.control.resumeProducer(LOBBY)
  await pass(clock, 30_000)
  stop.abort()
  await during(clock, Promise.all(watching))
  expect(new Set(incidents.map(({ kind }) => kind))).toEqual(new Set(['stall']))
  for (const { counts } of viewers) expect(counts.segments).toBeGreaterThan(2 * 18)
})

test('G11: with fail, lists are refused after 30 s, segments stay, and the URL comes back', async () => {
  await start({ defaults: { activation: 'always', onSignalLoss: 'fail' } })
  const before = await during(clock, offers(world.watchUrl()))
  const last = Math.max(...before.map(({ msn }) => msn))
  world.control.stopProducer(LOBBY)
  await pass(clock, 25_000)
  expect((await during(clock, ask(world.watchUrl()))).status).toBe(200)
  await passUntil(clock, async () => (await told()).api === 'offline', 10_000)

  for (const path of ['master.m3u8', 'video.m3u8', 'audio.m3u8']) {
    const url = new URL(path, world.watchUrl()).href
    const { status, headers, body } = await during(clock, ask(url))
    const retry = Number(headers['retry-after'])
    expect([status, retry > 0, JSON.parse(String(body))]).toMatchObject([
      503,
      true,
      { code: 'no_media' },
    ])
  }
  for (const { url } of before) await during(clock, get(url))

  world.control.resumeProducer(LOBBY)
  await passUntil(clock, async () => (await told()).api === 'live', 10_000)
  await pass(clock, 10_000)
  const after = videoOf(await during(clock, offers(world.watchUrl()))).filter(
    ({ msn }) => msn > last,
  )
  expect(after[0]?.msn).toBeLessThanOrEqual(last + 2)
  expect(after.filter(({ discontinuity }) => discontinuity)).toHaveLength(1)
})

test('a camera that is away when the stream starts is found when it comes', async () => {
  await start({ cameras: { lobby: { events: [{ event: { type: 'stop' } }] } } })
  expect(await told()).toMatchObject({ ...saying('offline'), reason: 'no_media' })
  expect((await during(clock, ask(world.watchUrl()))).status).toBe(503)
  world.control.resumeProducer(LOBBY)
  await passUntil(clock, async () => (await told()).api === 'live', 8_000)
  expect((await during(clock, ask(world.watchUrl()))).status).toBe(200)
})

/** When KVS first listed what the camera sent after its return. */
function firstListedMs(): number | undefined {
  const resumed = world.control
    .camera(LOBBY)
    .events.findLast(({ event }) => event.type === 'resume')
  const fragments = world.control.fragments(LOBBY)
  return fragments.find(({ serverMs }) => serverMs >= (resumed?.fromMs ?? Infinity))?.listedAtMs
}
