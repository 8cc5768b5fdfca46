import { afterEach, expect, test } from 'vitest'
import { ManualClock } from '../support/manual-clock.ts'
import { during, pass, passUntil } from '../support/pace.ts'
import { ask } from '../support/raw-http.ts'
import { startWorld, type World, type WorldOptions } from '../support/world.ts'
import { get, newestMsn, offers } from './support/listing.ts'

const IDLE_MS = 60_000

let clock: ManualClock
let world: World

async function start(options: Omit<WorldOptions, 'clock'> = {}): Promise<void> {
  clock = new ManualClock()
  world = await startWorld({ clock, ...options })
}
afterEach(() => during(clock, world.close()))

/** All that was asked of KVS for this camera. */
function upstreamCalls(stream?: string): number {
  const calls = Object.values(world.counters(stream).calls)
  return calls.flatMap((byStatus) => Object.values(byStatus)).reduce((sum, n) => sum + n, 0)
}

async function stateOf(stream = 'lobby'): Promise<string> {
  return (await during(clock, world.admin.stream(stream))).state
}

/** Lets time pass, and says how many calls it took. */
async function callsDuring(ms: number, stream?: string): Promise<number> {
  const before = upstreamCalls(stream)
  await pass(clock, ms)
  return upstreamCalls(stream) - before
}

test('G10: nothing is asked of KVS before somebody watches', async () => {
  await start()
  expect(await callsDuring(600_000)).toBe(0)
  expect(await stateOf()).toBe('idle')
  await during(clock, ask(`${world.gateway.adminUrl}/metrics`))
  await during(clock, world.admin.streams())
  expect(upstreamCalls()).toBe(0)
})

test('G10: nothing is asked of KVS once nobody has watched for the idle time', async () => {
  await start()
  await during(clock, get(world.watchUrl()))
  expect(await callsDuring(IDLE_MS)).toBeGreaterThan(20)
  expect(await callsDuring(3_600_000)).toBe(0)
  expect(await during(clock, world.admin.stream('lobby'))).toMatchObject({
    state: 'idle',
    session: null,
    viewers: 0,
  })
})

test('G10: an old segment of a camera that nobody watches wakes nothing', async () => {
  await start({ cache: { maxBytes: '1MiB' }, defaults: { window: 30 } })
  await during(clock, get(world.watchUrl()))
  await pass(clock, 45_000)
  // The cache holds less than the list: the oldest would have to be fetched again.
  const [oldest] = await during(clock, offers(world.watchUrl()))
  await pass(clock, IDLE_MS)
  const before = upstreamCalls()
  const answer = await during(clock, ask(oldest?.url ?? ''))
  expect(answer.status).toBe(404)
  expect(JSON.parse(String(answer.body))).toMatchObject({ code: 'segment_gone' })
  await pass(clock, 10_000)
  expect(upstreamCalls()).toBe(before)
})

test.each([1_100, 3_500])(
  'G10: the idle time is over after %d ms, not at the next second',
  async (idleMs) => {
    await start({ defaults: { idleTimeout: `${idleMs}ms` } })
    await during(clock, get(world.watchUrl()))
    await pass(clock, idleMs)
    expect(await callsDuring(10_000)).toBe(0)
  },
)

test.each([
  ['the multivariant playlist', () => world.watchUrl()],
  ['a media playlist', () => world.watchUrl().replace('master', 'audio')],
  ['the player page', () => `${world.gateway.publicUrl}/play/lobby`],
  ['the wall', () => `${world.gateway.publicUrl}/wall?streams=lobby`],
  ['the feed of the pages', () => `${world.gateway.publicUrl}/web/feed?streams=lobby`],
])('G10: who asks for %s keeps the stream running', async (_what, url) => {
  await start()
  await during(clock, get(url()))
  for (let i = 0; i < 2; i += 1) {
    await pass(clock, IDLE_MS - 1_000)
    await during(clock, get(url()))
    expect(await stateOf()).toBe('live')
  }
  await pass(clock, IDLE_MS)
  expect(await callsDuring(600_000)).toBe(0)
})

test('G10: a wall starts the cameras that it shows and no other', async () => {
  await start({ cameras: { lobby: {}, yard: {}, roof: {} } })
  await during(clock, get(`${world.gateway.publicUrl}/wall?streams=lobby,yard`))
  await pass(clock, 5_000)
  expect(await Promise.all(['lobby', 'yard', 'roof'].map(stateOf))).toEqual([
    'live',
    'live',
    'idle',
  ])
  expect(upstreamCalls('roof')).toBe(0)
})

test('G10: a camera that is away costs nothing either when nobody watches', async () => {
  await start({ cameras: { lobby: { events: [{ event: { type: 'stop' } }] } } })
  expect((await during(clock, ask(world.watchUrl()))).status).toBe(503)
  await pass(clock, IDLE_MS)
  expect(await callsDuring(600_000)).toBe(0)
})

test('a stream that was idle starts again under the same URL, its numbers going on', async () => {
  await start()
  const before = await during(clock, newestMsn(world.watchUrl()))
  for (const idleMs of [IDLE_MS + 1_000, 3_600_000]) {
    await pass(clock, idleMs)
    expect(await stateOf()).toBe('idle')
    const listed = await during(clock, offers(world.watchUrl()))
    expect(Math.min(...listed.map(({ msn }) => msn))).toBeGreaterThan(before)
    for (const { url } of listed) await during(clock, get(url))
    expect(await stateOf()).toBe('live')
  }
})

test('a first request after a short pause is answered from what is here, while the stream starts', async () => {
  await start({ defaults: { idleTimeout: '5s' } })
  const before = await during(clock, newestMsn(world.watchUrl()))
  await pass(clock, 8_000)
  expect(await stateOf()).toBe('idle')
  await during(clock, get(world.watchUrl()))
  await passUntil(clock, async () => (await newestMsn(world.watchUrl())) > before + 4, 5_000)
})

test('a stream that is to run always runs without viewers', async () => {
  await start({ defaults: { activation: 'always' } })
  await pass(clock, 2 * IDLE_MS)
  expect(await callsDuring(60_000)).toBeGreaterThan(100)
  expect(await stateOf()).toBe('live')
})
