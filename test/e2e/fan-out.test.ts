import { afterEach, describe, expect, test } from 'vitest'
import { type Incident, Viewer } from '../proof/viewer.ts'
import { ManualClock } from '../support/manual-clock.ts'
import { during, pass, passUntil } from '../support/pace.ts'
import { ask } from '../support/raw-http.ts'
import { cameraOf, startWorld, type World, type WorldOptions } from '../support/world.ts'
import { type Download, download } from './support/download.ts'
import { get, type Offer, offers } from './support/listing.ts'

const LOBBY = cameraOf('lobby')

let clock: ManualClock
let world: World

async function start(options: Omit<WorldOptions, 'clock'> = {}): Promise<void> {
  clock = new ManualClock()
  world = await startWorld({ clock, ...options })
}
afterEach(() => during(clock, world.close()))

/** So many viewers for so long; resolves to what went wrong for any of them. */
async function watched(count: number, ms: number): Promise<readonly Incident[]> {
  const incidents: Incident[] = []
  const stop = new AbortController()
  const viewers = Array.from({ length: count }, () => {
    const onIncident = (incident: Incident): void => void incidents.push(incident)
    return new Viewer(world.watchUrl(), { clock, signal: stop.signal, onIncident })
  })
  const watching = viewers.map((viewer) => viewer.watch())
  await pass(clock, ms)
  stop.abort()
  await during(clock, Promise.all(watching))
  const fewest = Math.min(...viewers.map(({ counts }) => counts.segments))
  expect(fewest).toBeGreaterThanOrEqual(ms / 2_000)
  return incidents
}

/** How often each track of each fragment was fetched from KVS. */
function fetches(): readonly number[] {
  return Object.values(world.counters().fragments).flatMap((tracks) => Object.values(tracks))
}

function calls(operation: string): number {
  const byStatus = Object.values(world.counters().calls[operation] ?? {})
  return byStatus.reduce((sum, count) => sum + count, 0)
}

test('G8: 50 viewers cost upstream what one costs, in requests and in bytes', async () => {
  await start()
  expect(await watched(1, 30_000)).toEqual([])
  const alone = world.counters()
  await during(clock, world.close())

  await start()
  expect(await watched(50, 30_000)).toEqual([])
  const together = world.counters()
  expect([together.calls, together.bytes]).toEqual([alone.calls, alone.bytes])
  expect(alone.calls['GetMP4MediaFragment']?.['200']).toBeGreaterThanOrEqual(30)
})

test.each(['epoch', 'session', 'fragment'] as const)(
  'G8: each track of a fragment is fetched once, roll-overs included, with times from %s',
  async (tfdtBase) => {
    await start({ cameras: { lobby: { tfdtBase } } })
    const watching = watched(3, 100_000)
    for (const trouble of ['revoke', 'api', 'revoke', 'api'] as const) {
      await pass(clock, 20_000)
      if (trouble === 'revoke') world.control.revoke(LOBBY)
      else await during(clock, world.admin.order('lobby', 'rollover'))
    }
    expect(await watching).toEqual([])

    const { sessionsOpened } = world.counters()
    expect(sessionsOpened).toBe(5)
    const again = fetches().filter((count) => count > 1)
    // Where times count from the session's start, one fragment tells by how much the bases differ.
    expect(again.length).toBeLessThanOrEqual(tfdtBase === 'epoch' ? 0 : 2 * (sessionsOpened - 1))
    expect(fetches().length).toBeGreaterThanOrEqual(2 * 50)
    // The two tracks' maps, once in each session.
    expect(calls('GetMP4InitFragment')).toBeLessThanOrEqual(2 * sessionsOpened)
    // A poll for each fragment and track, and a few more to find the camera's pace: once, not in each session.
    expect(calls('GetHLSMediaPlaylist')).toBeLessThanOrEqual(1.25 * fetches().length)
  },
)

/** More is listed than memory holds, so that what is oldest has to be fetched again. */
describe('a segment that is listed and not in memory', () => {
  /** A segment that has gone from memory, and the bytes that it had when it was new. */
  async function evicted(): Promise<Offer & { readonly bytes: Buffer }> {
    const defaults = { window: 30, activation: 'always' }
    await start({ cache: { maxBytes: '1MiB' }, defaults })
    const newest = (await during(clock, offers(world.watchUrl()))).findLast(isVideo)
    if (newest === undefined) throw new Error('nothing listed')
    const { body } = await during(clock, get(newest.url))
    await pass(clock, 40_000)
    const listed = await during(clock, offers(world.watchUrl()))
    expect(listed.map(({ url }) => url)).toContain(newest.url)
    return { ...newest, bytes: body }
  }
  const isVideo = ({ rendition }: Offer): boolean => rendition === 'video'

  const trickle = (bytesPerSecond: number): void =>
    world.control.addFault(LOBBY, {
      kind: 'slow',
      operation: 'GetMP4MediaFragment',
      times: 1,
      bytesPerSecond: Math.ceil(bytesPerSecond),
    })

  /** Stops the live path, which would take the fault that is meant for the segment. */
  async function freeze(): Promise<void> {
    world.control.stopProducer(LOBBY)
    await pass(clock, 4_000)
    world.control.resetCounters()
  }

  test('G8: is fetched once for all who miss it, and reaches them while it arrives', async () => {
    const { url, bytes } = await evicted()
    await freeze()
    trickle(bytes.length / 4)
    const readers = Array.from({ length: 50 }, () => download(url))
    await passUntil(clock, () => readers.every(({ received }) => received > 0))
    expect(readers.every(({ over }) => !over)).toBe(true)

    const leaver = readers.pop()
    leaver?.leave()
    await during(clock, Promise.all(readers.map(({ ended }) => ended)))
    for (const { body } of readers) expect(body.equals(bytes)).toBe(true)
    expect(fetches()).toEqual([1])
    expect(new Set(readers.map(cacheStatus))).toEqual(
      new Set([
        'kvs-hls-gateway; fwd=uri-miss; stored',
        'kvs-hls-gateway; fwd=uri-miss; collapsed',
      ]),
    )

    expect((await during(clock, get(url))).headers['cache-status']).toBe('kvs-hls-gateway; hit')
    expect(fetches()).toEqual([1])
  })

  test('G8: is fetched on for those who stay when the first to ask leaves', async () => {
    const { url, bytes } = await evicted()
    await freeze()
    trickle(bytes.length / 4)
    const [first, second] = [download(url), download(url)]
    await passUntil(clock, () => first.received > 0 && second.received > 0)
    first.leave()
    await during(clock, second.ended)
    expect(second.body.equals(bytes)).toBe(true)
    expect(fetches()).toEqual([1])
  })

  test('G8: is no longer fetched when the last who asked has left', async () => {
    const { url, bytes } = await evicted()
    await freeze()
    trickle(bytes.length / 60)
    const reader = download(url)
    await passUntil(clock, () => reader.received > 0)
    reader.leave()
    const leftAtMs = clock.now()
    // A newcomer starts a fetch of its own, at full speed, instead of joining what was given up.
    const { body } = await during(clock, get(url))
    expect(body.equals(bytes)).toBe(true)
    expect(clock.now() - leftAtMs).toBeLessThan(5_000)
    expect(fetches()).toEqual([2])
  })

  test('G12: is resumed when upstream cuts it, and no reader notices', async () => {
    const { url, bytes } = await evicted()
    await freeze()
    world.control.addFault(LOBBY, { kind: 'reset', operation: 'GetMP4MediaFragment', times: 1 })
    const readers = [download(url), download(url)]
    await during(clock, Promise.all(readers.map(({ ended }) => ended)))
    for (const { body } of readers) expect(body.equals(bytes)).toBe(true)
    expect(fetches()).toEqual([2])
  })

  test('G12: ends in a broken connection, never in a short body, when upstream keeps cutting', async () => {
    const { url, bytes } = await evicted()
    await freeze()
    world.control.addFault(LOBBY, { kind: 'reset', operation: 'GetMP4MediaFragment' })
    const reader = download(url)
    await expect(during(clock, reader.ended)).rejects.toThrow()
    expect(reader.received).toBeLessThan(bytes.length)

    world.control.clearFaults(LOBBY)
    expect((await during(clock, get(url))).body.equals(bytes)).toBe(true)
  })

  test.each(['garbage', 'truncate', 'empty'] as const)(
    'G12: is never given as %s, nor kept so',
    async (kind) => {
      const { url, bytes } = await evicted()
      await freeze()
      world.control.addFault(LOBBY, { kind, operation: 'GetMP4MediaFragment' })
      const answer = await during(
        clock,
        ask(url).catch(() => undefined),
      )
      expect(answer === undefined || answer.status >= 500).toBe(true)

      world.control.clearFaults(LOBBY)
      expect((await during(clock, get(url))).body.equals(bytes)).toBe(true)
    },
  )

  test('G3: is fetched through a new session when the old one has been revoked', async () => {
    const { url, bytes } = await evicted()
    world.control.revoke(LOBBY)
    expect((await during(clock, get(url))).body.equals(bytes)).toBe(true)
  })
})

function cacheStatus({ headers }: Download): unknown {
  return headers['cache-status']
}
