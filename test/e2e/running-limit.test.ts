import { afterEach, expect, test } from 'vitest'
import { ManualClock } from '../support/manual-clock.ts'
import { during, pass } from '../support/pace.ts'
import { type Answer, ask } from '../support/raw-http.ts'
import { startWorld, type World } from '../support/world.ts'

const IDLE_MS = 60_000

let clock: ManualClock
let world: World
afterEach(() => during(clock, world.close()))

async function start(config: object): Promise<void> {
  clock = new ManualClock()
  const cameras = { lobby: {}, yard: {}, hall: {} }
  world = await startWorld({ clock, cameras, config: { limits: { running: 2 }, ...config } })
}

const get = (path: string): Promise<Answer> => during(clock, ask(world.gateway.publicUrl + path))
const master = (stream: string): Promise<Answer> => get(`/hls/${stream}/master.m3u8`)

/** All that was asked of KVS for this camera. */
function calls(stream: string): number {
  return Object.values(world.counters(stream).calls)
    .flatMap((byStatus) => Object.values(byStatus))
    .reduce((sum, n) => sum + n, 0)
}

async function metric(name: string): Promise<number> {
  const { body } = await during(clock, ask(`${world.gateway.adminUrl}/metrics`))
  return Number(new RegExp(`^kvs_gateway_${name} (\\d+)$`, 'm').exec(String(body))?.[1])
}

test('a first request beyond as many streams as may run asks nothing of KVS', async () => {
  await start({})
  expect((await master('lobby')).status).toBe(200)
  await get('/wall?streams=yard,hall')
  expect((await master('yard')).status).toBe(200)

  const refused = await master('hall')
  expect([refused.status, refused.headers['retry-after']]).toEqual([503, '5'])
  expect(String(refused.body)).toContain('"overloaded"')
  expect(calls('hall')).toBe(0)
  expect(await metric('streams_running')).toBe(2)
  // The wall's and its own.
  expect(await metric('streams_refused_total')).toBe(2)
  const feed = String((await get('/web/feed?streams=lobby,hall')).body)
  expect(feed).toMatch(/"name":"lobby","state":"live","reason":null/)
  expect(feed).toMatch(/"name":"hall","state":"idle","reason":"overloaded"/)
  // Who watches already notices nothing.
  expect((await master('lobby')).status).toBe(200)

  await pass(clock, 2 * IDLE_MS)
  expect(await metric('streams_running')).toBe(0)
  expect((await master('hall')).status).toBe(200)
})

test('a stream that always runs is never refused, and counts', async () => {
  const kvs = (streamName: string): object => ({ kvs: { streamName } })
  await start({
    limits: { running: 1 },
    streams: {
      lobby: { ...kvs('lobby-camera'), activation: 'always' },
      yard: { ...kvs('yard-camera'), activation: 'always' },
      hall: kvs('hall-camera'),
    },
  })
  expect((await master('lobby')).status).toBe(200)
  expect((await master('yard')).status).toBe(200)
  expect((await master('hall')).status).toBe(503)
  expect(await metric('streams_running')).toBe(2)
})
