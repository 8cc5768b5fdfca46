import { afterEach, describe, expect, test } from 'vitest'
import { z } from 'zod'
import type { CameraConfigInput } from '../../src/emulator/config.ts'
import { ManualClock } from '../support/manual-clock.ts'
import { during, pass, passUntil } from '../support/pace.ts'
import { ask, rawConnection } from '../support/raw-http.ts'
import { cameraOf, startWorld, type World, type WorldOptions } from '../support/world.ts'
import { download } from './support/download.ts'
import { get, offers } from './support/listing.ts'

const LOBBY = cameraOf('lobby')
const STOPPED: CameraConfigInput = { events: [{ event: { type: 'stop' } }] }

let clock: ManualClock
let world: World
let closed: boolean

async function start(options: Omit<WorldOptions, 'clock'> = {}): Promise<void> {
  clock = new ManualClock()
  closed = false
  world = await startWorld({ clock, ...options })
}

/** Stops the gateway, and says how long that took on the clock. */
async function stop(): Promise<number> {
  const startMs = clock.now()
  await during(clock, world.stopGateway())
  closed = true
  return clock.now() - startMs
}
afterEach(async () => {
  if (!closed) await during(clock, world.stopGateway())
  await world.emulator.close()
})

const codeOf = (body: Buffer): string =>
  z.object({ code: z.string() }).parse(JSON.parse(String(body))).code

describe('a cold start', () => {
  test('is answered with media as soon as the camera’s first fragments are here', async () => {
    await start()
    const startMs = clock.now()
    const listed = await during(clock, offers(world.watchUrl()))
    expect(clock.now() - startMs).toBeLessThan(1_000)
    expect(listed.length).toBeGreaterThanOrEqual(12)
    for (const { url } of listed) await during(clock, get(url))
  })

  test('waits for a camera that begins to send while the request waits', async () => {
    await start({ cameras: { lobby: STOPPED } })
    const asked = download(world.watchUrl())
    await pass(clock, 2_000)
    expect(asked.over).toBe(false)
    world.control.resumeProducer(LOBBY)
    await during(clock, asked.ended)
    expect(String(asked.body)).toContain('#EXT-X-STREAM-INF')
  })

  test('ends in 503 with Retry-After for all who wait, at the start time-out', async () => {
    await start({ cameras: { lobby: STOPPED }, defaults: { startTimeout: '3s' } })
    const startMs = clock.now()
    const first = ask(world.watchUrl())
    await pass(clock, 1_000)
    const answers = await during(
      clock,
      Promise.all([first, ask(world.watchUrl()), ask(world.watchUrl().replace('master', 'video'))]),
    )
    expect(clock.now() - startMs).toBe(3_000)
    for (const { status, headers, body } of answers) {
      expect([status, codeOf(body)]).toEqual([503, 'no_media'])
      expect(Number(headers['retry-after'])).toBeGreaterThanOrEqual(1)
    }
  })

  test('costs one session for all who wait', async () => {
    await start()
    await during(clock, Promise.all(Array.from({ length: 50 }, () => get(world.watchUrl()))))
    expect(world.counters()).toMatchObject({ sessionsOpened: 1, quotaViolations: {} })
  })

  test('goes on when the first to ask has left', async () => {
    await start({ cameras: { lobby: STOPPED } })
    const [first, second] = [download(world.watchUrl()), download(world.watchUrl())]
    await pass(clock, 1_000)
    first.leave()
    world.control.resumeProducer(LOBBY)
    await during(clock, second.ended)
    expect(String(second.body)).toContain('#EXT-X-STREAM-INF')
  })
})

describe('closing', () => {
  test('answers requests that wait for media, within a moment', async () => {
    await start({ cameras: { lobby: STOPPED }, defaults: { startTimeout: '1m' } })
    const waiting = Array.from({ length: 20 }, () => ask(world.watchUrl()))
    await pass(clock, 2_000)
    expect(await stop()).toBeLessThan(1_000)
    for (const { status, headers } of await Promise.all(waiting)) {
      expect(status).toBe(503)
      expect(Number(headers['retry-after'])).toBeGreaterThanOrEqual(1)
    }
  })

  test('lets a download end that is under way', async () => {
    await start({ cache: { maxBytes: '1MiB' }, defaults: { window: 30, activation: 'always' } })
    const oldest = (await during(clock, offers(world.watchUrl())))[0]
    await pass(clock, 40_000)
    world.control.addFault(LOBBY, {
      kind: 'slow',
      operation: 'GetMP4MediaFragment',
      bytesPerSecond: 40_000,
    })
    const reader = download(oldest?.url ?? '')
    await passUntil(clock, () => reader.received > 0)
    expect(await stop()).toBeLessThan(5_000)
    await reader.ended
    expect(reader.body).toHaveLength(Number(reader.headers['content-length']))
  })

  test.each<[string, CameraConfigInput, number]>([
    ['while everything goes well', {}, 5_000],
    ['while upstream does not answer', { latencyMs: 600_000 }, 1_000],
    ['while upstream trickles', { faults: [{ kind: 'slow', bytesPerSecond: 1 }] }, 1_000],
    ['while the camera is away', STOPPED, 20_000],
  ])('ends within ten seconds %s', async (_what, lobby, ms) => {
    await start({ cameras: { lobby }, defaults: { activation: 'always' } })
    await pass(clock, ms)
    const viewer = download(world.watchUrl())
    await pass(clock, 100)
    expect(await stop()).toBeLessThan(10_000)
    await viewer.ended
    const { calls } = world.counters()
    await pass(clock, 60_000)
    expect(world.counters().calls).toEqual(calls)
    expect(clock.nextDueMs).toBeUndefined()
  })

  test('ends within ten seconds though a viewer takes nothing', async () => {
    await start()
    const [segment] = await during(clock, offers(world.watchUrl()))
    const { port, pathname } = new URL(segment?.url ?? '')
    const socket = await rawConnection(Number(port))
    // More answers than all buffers between us hold.
    socket.write(`GET ${pathname} HTTP/1.1\r\nHost: gateway\r\n\r\n`.repeat(200))
    await pass(clock, 1_000)
    expect(await stop()).toBeLessThan(10_000)
    socket.destroy()
  })
})
