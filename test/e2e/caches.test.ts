import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { type Emulator, startEmulator } from '../../src/emulator/emulator.ts'
import type { Child } from '../proof/child-process.ts'
import { freePort } from '../proof/free-port.ts'
import { GatewayAdmin } from '../proof/gateway-admin.ts'
import { startProgram, writeConfig } from '../proof/program.ts'
import { hasTool } from '../support/tools.ts'
import { type Cache, startNginx, startVarnish } from './support/caches.ts'
import { type Entry, Ledger } from './support/ledger.ts'
import { Seats } from './support/seats.ts'

/** How many watch through each cache. */
const AUDIENCE = 300
const TARGET_DURATION_MS = 2_000
/** What the configurations that we ship say to the gateway. */
const SECRET = 'secret'
const MASTER = '/hls/lobby/master.m3u8'

/** A cache with its audience, and what of it reaches the gateway. */
interface Front {
  readonly cache: Cache
  readonly ledger: Ledger
  readonly seats: Seats
}

const STARTS = [
  ...(hasTool('nginx') ? [startNginx] : []),
  ...(hasTool('varnishd') ? [startVarnish] : []),
]

let dir: string
let emulator: Emulator
let port: number
let admin: GatewayAdmin
let gateway: Child
let start: () => Promise<Child>
let fronts: Front[]
let end: AbortController
let watching: Promise<unknown>
/** While the gateway is away lists are as old as that. */
let outage: { fromMs: number; toMs: number }

// Of each try its own: what a first one has asked for would be counted in the second.
beforeEach(async () => {
  fronts = []
  end = new AbortController()
  outage = { fromMs: Number.POSITIVE_INFINITY, toMs: Number.POSITIVE_INFINITY }
  dir = await mkdtemp(join(tmpdir(), 'kvs-caches-'))
  const camera = { clip: 'video-only' } as const
  emulator = await startEmulator({ config: { cameras: { lobby: camera, gate: camera } } })
  port = await freePort()
  const adminPort = await freePort()
  admin = new GatewayAdmin(`http://127.0.0.1:${adminPort}`)
  const config = await writeConfig(dir, {
    server: { port },
    admin: { port: adminPort },
    aws: { region: 'us-west-2', endpoint: emulator.url },
    cache: { dir: join(dir, 'state') },
    cdn: { staleIfError: '60s', tagHeader: 'xkey' },
    auth: { mode: 'cdn-secret', secrets: [SECRET] },
    streams: {
      // Long lists, so that a start on a slow machine is no gap.
      lobby: {
        kvs: { streamName: 'lobby', fragmentResults: 40 },
        window: 20,
        dvr: '1m',
        startTimeout: '60s',
      },
      gate: {
        kvs: { streamName: 'gate' },
        onSignalLoss: 'fail',
        signalLossAfter: '1s',
        failAfter: '4s',
      },
    },
  })
  start = () => startProgram(['serve', '--config', config], `http://127.0.0.1:${port}`)
  gateway = await start()
  for (const [i, startCache] of STARTS.entries()) {
    const ledger = new Ledger(port)
    const cache = await startCache({ dir: join(dir, `${i}`), originPort: await ledger.listen() })
    fronts.push({ cache, ledger, seats: new Seats(cache.url, end.signal) })
  }
})

afterEach(async () => {
  end.abort(new Error('the audience leaves'))
  await watching
  for (const { cache, ledger, seats } of fronts) {
    await seats.close()
    await cache.stop()
    ledger.close()
  }
  await gateway.stop()
  await emulator.close()
  await rm(dir, { recursive: true, force: true })
})

test.skipIf(STARTS.length === 0)(
  'G8, G11, G13: an audience behind caches, through all that happens',
  async () => {
    await herd()
    await rollOver()
    await cameraAway()
    await killed()
    await past()
    await fails()
    await passed()
    accounts()
  },
)

/** Lets all ask a cold stream at once: that is one session, and one request for each thing. */
async function herd(): Promise<void> {
  const herd = fronts.map(async ({ seats, ledger }) => {
    const answers = await Promise.all(
      Array.from({ length: AUDIENCE }, (_, seat) => seats.get(seat, MASTER)),
    )
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200]))
    const [first, ...later] = ledger.entries.filter(({ url }) => url === MASTER)
    expect(first?.status).toBe(200)
    expect(later.filter(({ fromMs }) => fromMs < (first?.toMs ?? 0))).toEqual([])
  })
  await Promise.all(herd)
  const sessions = emulator.control.counters().sessions.filter(({ camera }) => camera === 'lobby')
  expect(sessions).toHaveLength(1)
  watching = Promise.all(
    fronts.flatMap(({ seats }) =>
      Array.from({ length: AUDIENCE }, (_, seat) => seats.watch(seat, MASTER)),
    ),
  )
  await pastSegments(3)
  const fetched = emulator.control.counters().cameras['lobby']?.calls['GetMP4MediaFragment'] ?? {}
  expect(Object.keys(fetched)).toEqual(['200'])
  // Some may just be on their way.
  expect(fetched['200']).toBeLessThanOrEqual(
    (await admin.metric('kvs_gateway_fragments_total')) + 4,
  )
}

/** Replaces the session, which does not show, and the codec private data, which is one more init. */
async function rollOver(): Promise<void> {
  await admin.order('lobby', 'rollover')
  await until(async () => ((await admin.stream('lobby')).session?.rollovers ?? 0) > 0)
  await pastSegments(1)
  emulator.control.order('lobby', { type: 'codec-private-data' })
  await until(() => fronts.every(({ ledger }) => initsOf(ledger).size === 2))
  await pastSegments(1)
}

/** Takes the camera away: lists go on, and say that they should have grown. */
async function cameraAway(): Promise<void> {
  emulator.control.stopProducer('lobby')
  const tellsOfIt = ({ cacheStatus }: { cacheStatus: string }): boolean =>
    /^kvs-hls-gateway; hit; ttl=-\d+; detail=stale/.test(cacheStatus)
  await until(() => fronts.every(({ ledger }) => ledger.entries.some(tellsOfIt)))
  // Varnish hands on what a 304 says; nginx has the head of the 200 before it.
  const varnish = fronts.find(({ cache }) => cache.name === 'varnish')
  await until(() => varnish === undefined || varnish.seats.lists.some(tellsOfIt))
  emulator.control.resumeProducer('lobby')
  await pastSegments(2)
}

/** Kills the gateway: lists go on, stale, until it is there again. */
async function killed(): Promise<void> {
  // With the newest segment in all caches: what none of them has, none of them can give.
  await pastSegments(1)
  await until(isSettled)
  outage.fromMs = performance.now()
  process.kill(gateway.pid, 'SIGKILL')
  while (gateway.running) await sleep(10)
  const before = fronts.map(({ seats }) => seats.requests)
  await until(() =>
    fronts.every(({ seats }, i) => seats.requests > (before[i] ?? 0) + 2 * AUDIENCE),
  )
  gateway = await start()
  // Varnish, too, needs some seconds to believe that it is well.
  await pastSegments(3)
  outage.toMs = performance.now()
}

/** Asks for DVR lists, and for a clip in ranges: each piece once, the bytes of the gateway. */
async function past(): Promise<void> {
  const startS = Math.floor(Date.now() / 1_000) - 3_600
  const clip = `/clip/lobby.mp4?start=${startS}&end=${startS + 60}`
  const ask = (headers: Record<string, string>) =>
    fetch(`http://127.0.0.1:${port}${clip}`, { headers })
  expect((await ask({})).status).toBe(401)
  const direct = Buffer.from(await (await ask({ 'X-Cdn-Secret': SECRET })).arrayBuffer())
  const ranges = ['bytes=0-', 'bytes=100-299', 'bytes=-500']
  for (const { seats, ledger } of fronts) {
    const before = ledger.entries.length
    await Promise.all(
      Array.from({ length: 5 }, async (_, seat) => {
        for (const range of ranges) {
          const { status, body, headers } = await seats.get(seat, clip, { range })
          const [, from = 0, to = 0] =
            /^bytes (\d+)-(\d+)\//.exec(headers['content-range'] ?? '') ?? []
          expect(status).toBe(206)
          expect(body.equals(direct.subarray(Number(from), Number(to) + 1))).toBe(true)
        }
      }),
    )
    const asked = ledger.entries.slice(before).filter(({ url }) => url.startsWith('/clip/'))
    expect(new Set(asked.map(({ range }) => range)).size).toBe(asked.length)

    const { body } = await seats.get(0, '/hls/lobby/dvr.m3u8')
    const [media = ''] = /^dvr-\d+\/video.m3u8$/m.exec(String(body)) ?? []
    const whole = await seats.get(0, `/hls/lobby/${media}`)
    const delta = await seats.get(1, `/hls/lobby/${media}?_HLS_skip=YES`)
    expect([whole.status, delta.status]).toEqual([200, 200])
    expect(String(delta.body)).toContain('#EXT-X-SKIP')
    expect(String(whole.body)).not.toContain('#EXT-X-SKIP')
  }
}

/** Takes a camera away whose errors are to be seen: no cache hides them. */
async function fails(): Promise<void> {
  const status =
    ({ seats }: Front) =>
    async () =>
      (await seats.get(0, '/hls/gate/video.m3u8')).status
  for (const front of fronts) await expect.poll(status(front)).toBe(200)
  emulator.control.stopProducer('gate')
  for (const front of fronts) await expect.poll(status(front)).toBe(503)
  emulator.control.resumeProducer('gate')
  for (const front of fronts) await expect.poll(status(front)).toBe(200)
}

/** Asks for pages: each time anew. */
async function passed(): Promise<void> {
  for (const { cache, ledger } of fronts) {
    for (let i = 0; i < 2; i += 1) {
      const page = await fetch(`${cache.url}/play/lobby?x=${i}`, { headers: { cookie: 'a=b' } })
      expect(page.status).toBe(200)
      await page.text()
    }
    expect(ledger.entries.filter(({ url }) => url.startsWith('/play/'))).toHaveLength(2)
  }
}

/** Adds up: the gateway gave each thing once per life, lists were fresh, nobody met an error. */
function accounts(): void {
  for (const { cache, ledger, seats } of fronts) {
    const bodies = ledger.entries.filter(({ status }) => status === 200 || status === 206)
    const things = bodies.filter(({ url }) => !/^\/(play|healthz)/.test(url))
    const unique = new Map(things.map((each) => [keyOf(each), each.bytes]))
    const bytes = sum(things.map((each) => each.bytes))
    const uniqueBytes = sum([...unique.values()])
    const ages = agesOf(ledger, seats)
    const lists = seats.lists.filter(({ askedMs }) => !isOut(askedMs))
    const slowestMs = Math.max(...lists.map(({ tookMs }) => tookMs))
    console.info(
      `${cache.name}: ${seats.requests} requests and ${mib(seats.bytes)} MiB of ${AUDIENCE} viewers; ` +
        `${things.length} bodies and ${mib(bytes)} MiB of the gateway, ${unique.size} and ${mib(uniqueBytes)} MiB different; ` +
        `${ledger.entries.filter(({ status }) => status === 304).length} times 304; ` +
        `lists ${Math.round(ages.normalMs)} ms old at most, ${Math.round(ages.outageMs)} ms while the gateway was away; ` +
        `slowest list ${Math.round(slowestMs)} ms; ${seats.failures.length} errors`,
    )
    expect(things.length / unique.size).toBeLessThanOrEqual(1.02)
    expect(bytes / uniqueBytes).toBeLessThanOrEqual(1.02)
    expect(tooOften(ledger)).toEqual([])
    // A list may have waited for an answer that another one had waited for.
    expect(ages.normalMs).toBeLessThanOrEqual(TARGET_DURATION_MS / 2 + 2 * slowestMs)
    expect(seats.failures).toEqual([])
  }
}

/** Names a thing, of one of the gateway's two lives: what the first one's end cut off, the second gives. */
const keyOf = ({ url, range, etag, fromMs }: Entry): string =>
  `${url} ${range} ${etag} ${fromMs < outage.fromMs ? 'before' : 'after'}`
const sum = (numbers: readonly number[]): number => numbers.reduce((all, one) => all + one, 0)
const mib = (bytes: number): string => (bytes / 2 ** 20).toFixed(1)
const isOut = (ms: number): boolean => ms >= outage.fromMs - 1_000 && ms <= outage.toMs
const isList = ({ url }: Pick<Entry, 'url'>): boolean => /\.m3u8(\?|$)/.test(url)

function segmentsOf({ entries }: Ledger): readonly Entry[] {
  return entries.filter(({ url, status }) => status === 200 && /^\/hls\/lobby\/.*\.m4s$/.test(url))
}

function initsOf({ entries }: Ledger): ReadonlySet<string> {
  return new Set(
    entries.map(({ url }) => url).filter((url) => /^\/hls\/lobby\/.*\/init-/.test(url)),
  )
}

/** Says whether all caches have the same segments, all that their lists name. */
function isSettled(): boolean {
  const newest = fronts.map(({ ledger }) => segmentsOf(ledger).at(-1))
  return (
    new Set(newest.map((segment) => segment?.url)).size === 1 &&
    fronts.every(({ ledger: { open, entries }, seats }, i) => {
      // A list may name several at once, which are asked for one after the other.
      const given = new Set(entries.map(({ url }) => url))
      if (![...seats.wanted].every((path) => given.has(path))) return false
      const list = entries.findLast(
        ({ url, status }) => url === '/hls/lobby/video.m3u8' && status === 200,
      )
      return open === 0 && (list?.toMs ?? 0) < (newest[i]?.toMs ?? 0)
    })
  )
}

/** Waits until so many more segments have gone through each cache. */
async function pastSegments(count: number): Promise<void> {
  const before = fronts.map(({ ledger }) => segmentsOf(ledger).length)
  await until(() =>
    fronts.every(({ ledger }, i) => segmentsOf(ledger).length >= (before[i] ?? 0) + count),
  )
}

async function until(holds: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await holds())) await sleep(50)
}

/** Names lists that the gateway was asked for more often than once a second, which is how long they live. */
function tooOften({ entries }: Ledger): readonly string[] {
  const times = new Map<string, Entry[]>()
  for (const entry of entries.filter(isList)) {
    times.set(entry.url, [...(times.get(entry.url) ?? []), entry])
  }
  return [...times].flatMap(([url, asked]) => {
    const seconds = ((asked.at(-1)?.toMs ?? 0) - (asked[0]?.fromMs ?? 0)) / 1_000
    return asked.length > 1.02 * (seconds + 2) ? [`${url}: ${asked.length} in ${seconds} s`] : []
  })
}

/** Tells how long before a list was asked for the gateway was last asked for it, and said that it is this. */
function agesOf({ entries }: Ledger, { lists }: Seats): { normalMs: number; outageMs: number } {
  const said = new Map<string, number[]>()
  for (const { url, etag, fromMs } of entries.filter(isList)) {
    said.set(`${url} ${etag}`, [...(said.get(`${url} ${etag}`) ?? []), fromMs])
  }
  const ages = lists.map(({ path, etag, askedMs, tookMs }) => {
    const times = said.get(`${path} ${etag}`) ?? []
    const last = times.findLast((ms) => ms <= askedMs + tookMs) ?? Number.NEGATIVE_INFINITY
    return { askedMs, ageMs: askedMs - last }
  })
  const oldest = (of: typeof ages): number => Math.max(0, ...of.map(({ ageMs }) => ageMs))
  return {
    normalMs: oldest(ages.filter(({ askedMs }) => !isOut(askedMs))),
    outageMs: oldest(ages.filter(({ askedMs }) => isOut(askedMs))),
  }
}
