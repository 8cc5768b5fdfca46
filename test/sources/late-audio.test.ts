import { afterEach, beforeEach, expect, test } from 'vitest'
import type { FetchedFragment } from '../../src/ingest/fetch-fragment.ts'
import { Ingest } from '../../src/sources/ingest.ts'
import { newestOf } from '../../src/sources/listing.ts'
import type { HlsSession } from '../../src/upstream/hls-session.ts'
import { SessionKeeper } from '../../src/upstream/session-keeper.ts'
import { during, pass } from '../support/pace.ts'
import { type Kvs, startKvs } from '../upstream/support/kvs.ts'

/** Both playlists of a session are asked for apart, and nothing says that KVS updates them together. */
let audioLagMs = 0
let kvs: Kvs
let keeper: SessionKeeper
let stop: AbortController
let running: Promise<unknown>
let rollovers: number
const published: FetchedFragment[] = []

beforeEach(async () => {
  audioLagMs = 0
  rollovers = 0
  published.length = 0
  kvs = await startKvs({ clip: 'av-360p' })
  keeper = new SessionKeeper({
    clock: kvs.clock,
    random: () => 0.5,
    windowMs: () => 10_000,
    open: async (signal) => withLateAudio(await kvs.openWith(signal)),
    onEvent: ({ kind }) => {
      if (kind === 'rolled_over') rollovers += 1
    },
  })
  const ingest = new Ingest(keeper, {
    clock: kvs.clock,
    random: () => 0.5,
    trouble: {
      session() {},
      poll() {},
      skipped() {},
      missing() {},
      lacking() {},
      refused: () => false,
    },
    sink: {
      newest: () => newest(),
      begin: (list) => newestOf(list, 6),
      reserve: () => ({ fill() {}, release() {} }),
      publish: async (batch) => void published.push(...batch),
      end: () => Promise.resolve(),
    },
  })
  stop = new AbortController()
  running = ingest.run(stop.signal).catch(() => {})
})
afterEach(async () => {
  stop.abort()
  await during(kvs.clock, running)
  keeper.close()
  await kvs.close()
})

function newest(): { number: bigint; endMs: undefined } | undefined {
  const last = published.at(-1)?.listed.number
  return last === undefined ? undefined : { number: last, endMs: undefined }
}

function withLateAudio(session: HlsSession): HlsSession {
  return new Proxy(session, {
    get(target, name) {
      if (name === 'list') return lateList(target)
      const value: unknown = Reflect.get(target, name, target)
      return typeof value === 'function' ? (value.bind(target) as unknown) : value
    },
  })
}

function lateList(session: HlsSession): HlsSession['list'] {
  return async (rendition, signal) => {
    const list = await session.list(rendition, signal)
    // The emulator lists a fragment 150 ms after its end.
    const untilMs = kvs.clock.now() - 150 - (rendition === 'audio' ? audioLagMs : 0)
    return list.filter(({ startMs = 0, durationS }) => startMs + durationS * 1000 <= untilMs)
  }
}

const tracks = (): readonly number[] => published.map((fragment) => fragment.tracks.length)

test('G7: audio that is listed late is waited for, and does not cost a fragment’s time', async () => {
  await pass(kvs.clock, 5_000)
  audioLagMs = 600
  await pass(kvs.clock, 20_000)
  expect(tracks()).toEqual(tracks().map(() => 2))
  const delays = published.slice(8).map(({ listed, receivedMs }) => {
    return receivedMs - (listed.startMs ?? 0) - listed.durationS * 1000
  })
  expect(Math.max(...delays)).toBeLessThan(150 + 600 + 500)
})

test('G3: a roll-over while a fragment’s audio is not listed yet goes on', async () => {
  await pass(kvs.clock, 5_000)
  audioLagMs = 600
  for (let i = 1; i <= 5; i += 1) {
    keeper.requestRollover()
    await pass(kvs.clock, 4_300)
    expect(rollovers).toBe(i)
  }
  expect(published.length).toBeGreaterThanOrEqual(25)
  expect(tracks()).toEqual(tracks().map(() => 2))
})

test('a stream stops at once, whatever it waits for', async () => {
  audioLagMs = 1_000
  await pass(kvs.clock, 5_250)
  stop.abort()
  const startMs = kvs.clock.now()
  await during(kvs.clock, running)
  expect(kvs.clock.now() - startMs).toBeLessThan(1_000)
})
