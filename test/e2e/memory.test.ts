import { once } from 'node:events'
import { afterEach, expect, test } from 'vitest'
import { type Incident, Viewer } from '../proof/viewer.ts'
import { ManualClock } from '../support/manual-clock.ts'
import { during, pass, passUntil } from '../support/pace.ts'
import { ask, rawConnection } from '../support/raw-http.ts'
import { startWorld, type World, type WorldOptions } from '../support/world.ts'
import { download } from './support/download.ts'
import { usedBytes } from './support/heap.ts'
import { get, offers } from './support/listing.ts'

const MIB = 2 ** 20
const STREAMS = ['lobby', 'yard', 'roof', 'gate']

let clock: ManualClock
let world: World

async function start(options: Omit<WorldOptions, 'clock'> = {}): Promise<void> {
  clock = new ManualClock()
  world = await startWorld({ clock, ...options })
}
afterEach(() => during(clock, world.close()))

async function gauge(name: string): Promise<number> {
  const { body } = await during(clock, get(`${world.gateway.adminUrl}/metrics`))
  const line = String(body)
    .split('\n')
    .find((each) => each.startsWith(`kvs_gateway_${name} `))
  if (line === undefined) throw new Error(`no metric ${name}`)
  return Number(line.split(' ')[1])
}

test('G18: four cameras with viewers live within a mebibyte of fragments, and nobody misses one', async () => {
  await start({
    cameras: Object.fromEntries(STREAMS.map((name) => [name, {}])),
    cache: { maxBytes: '1MiB' },
  })
  const incidents: Incident[] = []
  const end = new AbortController()
  const onIncident = (incident: Incident): void => void incidents.push(incident)
  const watching = STREAMS.map((name) =>
    new Viewer(world.watchUrl(name), { clock, signal: end.signal, onIncident }).watch(),
  )
  await pass(clock, 30_000)
  const before = await usedBytes()
  for (let i = 0; i < 4; i += 1) {
    await pass(clock, 10_000)
    expect(await gauge('cache_bytes')).toBeLessThanOrEqual(MIB)
  }
  expect((await usedBytes()) - before).toBeLessThan(3 * MIB)
  end.abort()
  await during(clock, Promise.all(watching))
  expect(incidents).toEqual([])
})

test('G18: a reader that takes nothing is cut off when its fragment leaves the cache', async () => {
  await start({ defaults: { activation: 'always' } })
  await pass(clock, 10_000)
  const [oldest] = await during(clock, offers(world.watchUrl()))
  const { port, pathname } = new URL(oldest?.url ?? '')
  const size = (await during(clock, get(oldest?.url ?? ''))).body.length
  const before = await usedBytes()
  const stalled = await Promise.all(Array.from({ length: 40 }, () => rawConnection(Number(port))))
  // More than the buffers of the kernel hold, so that the rest waits in the gateway.
  const times = 100
  for (const socket of stalled) {
    socket.write(`GET ${pathname} HTTP/1.1\r\nHost: gateway\r\n\r\n`.repeat(times))
  }
  await pass(clock, 60_000)
  const closed = stalled.map((socket) => once(socket, 'close'))
  for (const socket of stalled) socket.resume()
  await during(clock, Promise.all(closed))
  for (const { bytesRead } of stalled) expect(bytesRead).toBeLessThan(times * size)
  expect((await usedBytes()) - before).toBeLessThan(MIB)
})

test('G18: thousands of viewers that came and went leave nothing', async () => {
  await start({ defaults: { activation: 'always' } })
  const come = async (): Promise<void> => {
    for (let i = 0; i < 20; i += 1) {
      const some = Array.from({ length: 25 }, () =>
        get(world.watchUrl().replace('master', 'video')),
      )
      await during(clock, Promise.all(some))
    }
  }
  await come()
  await pass(clock, 10_000)
  const before = await usedBytes()
  for (let i = 0; i < 3; i += 1) await come()
  await pass(clock, 10_000)
  expect((await usedBytes()) - before).toBeLessThan(MIB)
  expect((await during(clock, world.admin.stream('lobby'))).viewers).toBe(0)
})

test('G18: viewers that leave while they wait leave nothing', async () => {
  await start({
    cameras: { lobby: { events: [{ event: { type: 'stop' } }] } },
    defaults: { startTimeout: '5m' },
  })
  const comeAndGo = async (): Promise<void> => {
    const waiting = Array.from({ length: 200 }, () => download(world.watchUrl()))
    await passUntil(clock, async () => (await gauge('blocked_requests')) >= 0, 1_000)
    await pass(clock, 500)
    for (const each of waiting) each.leave()
    await pass(clock, 500)
  }
  await comeAndGo()
  const before = await usedBytes()
  for (let i = 0; i < 3; i += 1) await comeAndGo()
  expect((await usedBytes()) - before).toBeLessThan(MIB)
  expect((await during(clock, ask(`${world.gateway.publicUrl}/healthz`))).status).toBe(200)
})
