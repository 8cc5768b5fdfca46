import { afterEach, describe, expect, test } from 'vitest'
import { z } from 'zod'
import type { CameraConfigInput } from '../../src/emulator/config.ts'
import { streamStatus } from '../../src/streams/status.ts'
import { seededRandom } from '../proof/seeded-random.ts'
import { ManualClock } from '../support/manual-clock.ts'
import { during, pass } from '../support/pace.ts'
import { type Answer, ask, sendRaw } from '../support/raw-http.ts'
import { startWorld, type World, type WorldOptions } from '../support/world.ts'
import { usedBytes } from './support/heap.ts'
import { get, newestMsn, offers } from './support/listing.ts'
import { stateDir } from './support/state-dir.ts'

const MATCH = '^cam-[a-z0-9-]+$'
const LABEL = `/${MATCH}/`
const MINUTE_MS = 60_000
/** Of more connections than a listener's backlog of 511 holds, the kernel of a busy machine may reset some. */
const AT_ONCE = 500

const dir = stateDir()
let clock: ManualClock
let world: World
afterEach(() => during(clock, world.close()))

/** Cameras `cam-1`, `cam-2`, … of which no name is configured, beside one that is. */
async function start(
  entry: object = {},
  { cameras = 3, ...options }: Omit<Partial<WorldOptions>, 'cameras'> & { cameras?: number } = {},
): Promise<void> {
  clock = new ManualClock()
  const names = Array.from({ length: cameras }, (_, i) => `cam-${i + 1}`)
  const made = names.map((name): [string, CameraConfigInput] => [name, { clip: 'av-360p' }])
  world = await startWorld({
    ...options,
    clock,
    cameras: Object.fromEntries([['lobby', {}], ...made]),
    config: {
      streams: { lobby: { kvs: { streamName: 'lobby-camera' } } },
      dynamicStreams: [{ match: MATCH, kvs: { streamName: '{name}-camera' }, ...entry }],
    },
  })
}

async function watch(name: string): Promise<number | string> {
  const { status, body } = await during(clock, ask(world.watchUrl(name)))
  return status === 200 ? status : `${status} ${problem.parse(JSON.parse(String(body))).code}`
}

const problem = z.object({ code: z.string() })

async function statuses(): Promise<readonly z.output<typeof streamStatus>[]> {
  const { body } = await during(clock, get(`${world.gateway.adminUrl}/api/v1/streams`))
  return z.object({ streams: z.array(streamStatus) }).parse(JSON.parse(String(body))).streams
}

async function names(): Promise<readonly string[]> {
  return (await statuses()).map(({ name }) => name)
}

/** The gateway's own; those of the process differ each time. */
async function metrics(): Promise<string> {
  const text = String((await during(clock, get(`${world.gateway.adminUrl}/metrics`))).body)
  return text
    .split('\n')
    .filter((line) => line.includes('kvs_gateway_'))
    .join('\n')
}

/** Calls that reached KVS and named no camera that exists. */
function strayCalls(): number {
  const calls = Object.values(world.control.counters().other.calls)
  return calls.flatMap((byStatus) => Object.values<number>(byStatus)).reduce((a, b) => a + b, 0)
}

/** What the test itself keeps. */
function forgetLines(): void {
  ;(world.lines as unknown[]).length = 0
}

async function cacheBytes(): Promise<string> {
  return /^kvs_gateway_cache_bytes (.*)$/m.exec(await metrics())?.[1] ?? ''
}

test('a name that matches becomes a stream on the first request, and plays like any other', async () => {
  await start()
  expect(await names()).toEqual(['lobby'])
  expect(await watch('cam-1')).toBe(200)
  await pass(clock, 10_000)
  expect(await watch('cam-2')).toBe(200)

  const [lobby, first, second] = await statuses()
  expect([lobby?.dynamic, first, second]).toMatchObject([
    false,
    { name: 'cam-1', dynamic: true, state: 'live', downstream: { requests: 1 } },
    { name: 'cam-2', dynamic: true, state: 'live', downstream: { requests: 1 } },
  ])
  expect(world.counters('cam-1').sessionsOpened).toBe(1)
  expect((await offers(world.watchUrl('cam-1'))).length).toBeGreaterThan(10)
})

test('G17: its name is no label; all of a pattern count together', async () => {
  await start()
  await watch('cam-1')
  await watch('cam-2')
  const text = await metrics()
  expect(text).not.toContain('cam-1')
  expect(text).toContain(`kvs_gateway_sessions_open{stream="${LABEL}"} 2`)
  expect(text).toContain(`kvs_gateway_stream_state{stream="${LABEL}",state="live"} 2`)
  expect(text).toContain(
    `kvs_gateway_downstream_requests_total{stream="${LABEL}",class="multivariant",code="200"} 2`,
  )
})

test('hundreds of first requests at once are one stream and one session', async () => {
  await start()
  const asking = Array.from({ length: 300 }, () => ask(world.watchUrl('cam-1')))
  const answers = await during(clock, Promise.all(asking))
  expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200]))
  const { sessionsOpened, calls } = world.counters('cam-1')
  // One for the session, one for what was recorded lately, which tells how long fragments are.
  expect([sessionsOpened, calls['GetDataEndpoint']]).toEqual([1, { 200: 2 }])
})

describe('a name that KVS does not know', () => {
  test('is told at once, and not asked for again for a while', async () => {
    await start({ absentFor: '20s' })
    expect(await watch('cam-nobody')).toBe('404 upstream_stream_not_found')
    const asked = strayCalls()
    expect(asked).toBeGreaterThan(0)
    expect(await names()).toEqual(['lobby'])
    for (let i = 0; i < 19; i += 1) {
      await pass(clock, 1_000)
      expect(await watch('cam-nobody')).toBe('404 upstream_stream_not_found')
    }
    expect(strayCalls()).toBe(asked)
    await pass(clock, 2_000)
    expect(await watch('cam-nobody')).toBe('404 upstream_stream_not_found')
    expect(strayCalls()).toBe(asked + 1)
  })

  test('plays soon after it was created', async () => {
    await start({ absentFor: '20s' })
    world.control.patchCamera('cam-1-camera', { status: 'CREATING' })
    expect(await watch('cam-1')).toBe('404 upstream_stream_not_found')
    world.control.patchCamera('cam-1-camera', { status: 'ACTIVE' })
    await pass(clock, 20_000)
    expect(await watch('cam-1')).toBe(200)
  })

  test('G17: made-up names are asked for at a bounded rate, and leave nothing', async () => {
    await start({ max: 1_000 })
    await expectBounded(3)
    const before = await usedBytes()
    await expectBounded(4)
    expect((await usedBytes()) - before).toBeLessThan(2 ** 20)
  })

  async function expectBounded(seed: number): Promise<void> {
    const startMs = clock.now()
    const told = await flooded(seed)
    const seconds = Math.ceil((clock.now() - startMs) / 1_000) + 1
    expect(Object.keys(told).toSorted()).toEqual(['404', '503'])
    expect(told['404']?.length).toBeLessThanOrEqual(100 * seconds)
    expect(told['503']?.[0]?.headers['retry-after']).toBe('1')
    expect(await names()).toEqual(['lobby'])
    await pass(clock, MINUTE_MS)
    forgetLines()
  }

  async function flooded(seed: number): Promise<Partial<Record<string, readonly Answer[]>>> {
    const random = seededRandom(seed)
    const answers: Answer[] = []
    while (answers.length < 1_500) {
      const wave = Array.from({ length: AT_ONCE }, () =>
        ask(world.watchUrl(`cam-${Math.floor(random() * 2 ** 40).toString(36)}`)),
      )
      answers.push(...(await during(clock, Promise.all(wave))))
    }
    return Object.groupBy(answers, ({ status }) => String(status))
  }
})

test('beyond max the one that was idle longest makes room, and else it is 503', async () => {
  await start({ max: 2 }, { cameras: 3 })
  await watch('cam-1')
  await pass(clock, 5_000)
  await watch('cam-2')
  const refused = await during(clock, ask(world.watchUrl('cam-3')))
  expect(refused.status).toBe(503)
  expect(refused.headers['retry-after']).toBe('5')
  expect(problem.parse(JSON.parse(String(refused.body))).code).toBe('overloaded')

  await pass(clock, 80_000)
  expect((await statuses()).map(({ name, state }) => [name, state])).toEqual([
    ['lobby', 'idle'],
    ['cam-1', 'idle'],
    ['cam-2', 'idle'],
  ])
  expect(await watch('cam-3')).toBe(200)
  expect(await names()).toEqual(['lobby', 'cam-2', 'cam-3'])
})

test('G1, G17: one that nobody watches is dropped with all it held, and goes on above its numbers', async () => {
  await start()
  await during(clock, metrics())
  await watch('lobby')
  await pass(clock, 2 * MINUTE_MS)
  const [before, bytesBefore] = [await usedBytes(), await cacheBytes()]
  let last = 0
  for (let round = 0; round < 3; round += 1) {
    await watch('cam-1')
    await pass(clock, 10_000)
    const newest = await during(clock, newestMsn(world.watchUrl('cam-1')))
    expect(newest).toBeGreaterThan(last)
    last = newest
    await pass(clock, 12 * MINUTE_MS)
    expect(await names()).toEqual(['lobby'])
  }
  expect(await cacheBytes()).toBe(bytesBefore)
  forgetLines()
  expect((await usedBytes()) - before).toBeLessThan(2 ** 20)
})

test('G6: after a restart its saved list is there, on disk and by its old addresses', async () => {
  await start({}, { cache: { dir: dir() } })
  await watch('cam-1')
  await pass(clock, 10_000)
  const listed = await during(clock, offers(world.watchUrl('cam-1')))
  const bodies = await during(clock, Promise.all(listed.map(({ url }) => get(url))))
  await during(clock, world.stopGateway())
  await world.startGateway()

  expect(await names()).toEqual(['lobby', 'cam-1'])
  for (const [i, { url }] of listed.entries()) {
    const path = new URL(url).pathname
    const again = await during(clock, get(world.gateway.publicUrl + path))
    expect(again.body.equals(bodies[i]?.body ?? Buffer.alloc(0))).toBe(true)
  }
  expect(world.counters('cam-1').sessionsOpened).toBe(1)
  expect(await watch('cam-1')).toBe(200)
  const msns = (await offers(world.watchUrl('cam-1'))).map(({ msn }) => msn)
  expect(msns).toContain(listed.at(-1)?.msn)
})

test('G17: made-up names that are refused unasked keep no room from others', async () => {
  await start({ max: 2 })
  for (const query of ['?start=1', '?start=yesterday']) {
    for (let i = 0; i < 5; i += 1) {
      const { status } = await during(clock, ask(world.watchUrl(`cam-made-up-${i}`) + query))
      expect(status).toBe(400)
    }
  }
  const clip = `${world.gateway.publicUrl}/clip/cam-nobody.mp4`
  expect((await during(clock, ask(clip))).status).toBe(400)
  expect(await names()).toEqual(['lobby'])
  expect(strayCalls()).toBe(0)
  expect(await watch('cam-1')).toBe(200)
  expect((await during(clock, ask(`${world.watchUrl('cam-1')}?start=1`))).status).toBe(400)
  expect(await names()).toEqual(['lobby', 'cam-1'])
})

test('its past can be asked for first, and keeps it as long as somebody does', async () => {
  await start()
  world.control.order('cam-1-camera', { type: 'stop' })
  await pass(clock, MINUTE_MS)
  const past = `?start=${new Date(clock.now() - 90_000).toISOString()}&end=${new Date(clock.now() - 70_000).toISOString()}`
  const watchUrl = world.watchUrl('cam-1') + past
  const [first] = await during(clock, offers(watchUrl))
  for (let i = 0; i < 15; i += 1) {
    expect((await during(clock, ask(first?.url ?? ''))).status).toBe(200)
    await pass(clock, MINUTE_MS)
  }
  expect(await names()).toEqual(['lobby', 'cam-1'])
  await pass(clock, 11 * MINUTE_MS)
  expect(await names()).toEqual(['lobby'])

  // Paused for long; then on from where it was.
  expect((await during(clock, ask(first?.url ?? ''))).status).toBe(200)
  expect(await names()).toEqual(['lobby', 'cam-1'])

  const nobody = await during(clock, ask(world.watchUrl('cam-nobody') + past))
  expect([nobody.status, await names()]).toEqual([404, ['lobby', 'cam-1']])
})

test('its first request may be for what was', async () => {
  await start({ dvr: '5m' })
  const dvrUrl = world.watchUrl('cam-1').replace('master', 'dvr')
  expect((await during(clock, ask(dvrUrl))).status).toBe(200)
  expect((await during(clock, ask(dvrUrl.replace('cam-1', 'cam-nobody')))).status).toBe(404)
  expect(await names()).toEqual(['lobby', 'cam-1'])
})

test('the pages know it: a player page starts it, a wall shows how it is', async () => {
  await start()
  const page = (path: string): Promise<number> =>
    during(clock, ask(world.gateway.publicUrl + path)).then(({ status }) => status)
  const feed = async (): Promise<unknown> => {
    const { body } = await during(
      clock,
      get(`${world.gateway.publicUrl}/web/feed?streams=cam-1,cam-nobody,other`),
    )
    const schema = z.object({
      streams: z.array(z.object({ state: z.string(), reason: z.string().nullable() })),
    })
    return schema
      .parse(JSON.parse(String(body)))
      .streams.map(({ state, reason }) => [state, reason])
  }
  expect(await page('/play/other')).toBe(404)
  expect(await feed()).toEqual([
    ['idle', null],
    ['idle', null],
    ['unknown', 'stream_not_found'],
  ])
  await pass(clock, 5_000)
  expect(await feed()).toEqual([
    ['live', null],
    ['failed', 'upstream_stream_not_found'],
    ['unknown', 'stream_not_found'],
  ])
  expect(await page('/play/cam-2')).toBe(200)
  await pass(clock, 5_000)
  expect(await names()).toEqual(['lobby', 'cam-1', 'cam-2'])
})

test('G17: twenty thousand names that match nothing leave neither series nor memory behind', async () => {
  await start()
  const port = Number(new URL(world.gateway.publicUrl).port)
  const random = seededRandom(7)
  const paths = ['/hls/$/master.m3u8', '/hls/$/video/1-x.m4s', '/play/$', '/web/feed?streams=$']
  const target = (i: number): string => {
    const name = `CAM-${Math.floor(random() * 2 ** 40).toString(36)}`
    return paths[i % paths.length]?.replace('$', name) ?? ''
  }
  const flood = async (count: number): Promise<void> => {
    for (let sent = 0; sent < count; sent += 500) {
      const lines = Array.from(
        { length: 500 },
        (_, i) => `GET ${target(i)} HTTP/1.1\r\nHost: g\r\n`,
      )
      await sendRaw(port, `${lines.join('\r\n')}Connection: close\r\n\r\n`)
    }
  }
  await flood(2_000)
  const [text, calls] = [await metrics(), JSON.stringify(world.control.counters())]
  const before = await usedBytes()
  await flood(20_000)
  expect((await usedBytes()) - before).toBeLessThan(2 ** 20)
  expect(await metrics()).toBe(text)
  expect(JSON.stringify(world.control.counters())).toBe(calls)
  expect(await names()).toEqual(['lobby'])
})
