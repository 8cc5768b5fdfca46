import { expect, test } from 'vitest'
import { digest } from '../proof/origin.ts'
import { cameraOf } from '../support/world.ts'
import { type PastStage, startPast } from './support/past.ts'

const SEAMLESS = { warnings: [], gaps: [], runs: 1 }
const MINUTE_MS = 60_000

const cameras = { lobby: { clip: 'av-360p' } } as const

test('G1, G2: start-over: the past and what comes are one list that grows', async () => {
  await using stage = await startPast({ cameras })
  const startMs = stage.clock.now() - MINUTE_MS
  const url = stage.url(startMs)
  const verdict = await stage.watch(url, MINUTE_MS)
  expect(verdict).toMatchObject({ faults: [], discontinuities: 0, missed: 0 })
  expect(verdict.segments).toBeGreaterThan(115)
  expect(verdict.decoded).toMatchObject({ video: SEAMLESS, audio: SEAMLESS })

  const lists = await stage.lists(url)
  for (const list of lists.values()) expect(list).toMatchObject({ ended: false, mediaSequence: 0 })
  const [video, audio] = ['video', 'audio'].map((name) => lists.get(name)?.segments[0]?.pdtMs)
  expect(video).toBe(startMs)
  // The sound begins with its own first frame, 11 ms later.
  expect(audio).toBe(startMs + 11)
  const { body } = await stage.ask(await playlistUrl(stage, url))
  expect(String(body)).toContain('#EXT-X-PLAYLIST-TYPE:EVENT')
  expect(stage.world.counters().quotaViolations).toEqual({})
})

test('G6: what left the live window is still there, byte for byte', async () => {
  await using stage = await startPast({
    cameras: { lobby: { clip: 'av-360p', tfdtBase: 'session' } },
    defaults: { kvs: { containerFormat: 'MPEG_TS' } },
  })
  const url = stage.url(stage.clock.now() - 5_000)
  await stage.lists(url)
  await stage.pass(10_000)
  const before = await newest(stage, url)
  const playlist = await playlistUrl(stage, url)
  for (let i = 0; i < 15; i += 1) {
    await stage.ask(playlist)
    await stage.pass(20_000)
  }
  for (const [segment, content] of before) {
    const { status, body } = await stage.ask(segment)
    expect([status, digest(body)], segment).toEqual([200, content])
  }
})

test('G11: a camera that is away leaves its past to be seen, which goes on when it returns', async () => {
  await using stage = await startPast({ cameras })
  await stage.pass(30_000)
  stage.world.control.stopProducer(cameraOf())
  await stage.pass(2 * MINUTE_MS)
  const url = stage.url(stage.clock.now() - 3 * MINUTE_MS)
  const verdict = await stage.watch(url, 40_000, () => {
    stage.world.control.resumeProducer(cameraOf())
    return Promise.resolve()
  })
  expect(verdict).toMatchObject({ faults: [], discontinuities: 1, missed: 0 })
  expect(verdict.segments).toBeGreaterThan(70)
})

test('G9: listing a day delays nobody who watches live', async () => {
  await using stage = await startPast({ cameras })
  const live = stage.world.watchUrl()
  await stage.ask(live)
  const day = stage.ask(
    stage.url(stage.clock.now() - 12 * 60 * MINUTE_MS, stage.clock.now() - MINUTE_MS),
  )
  const verdict = await stage.watch(live, 30_000)
  expect(verdict).toMatchObject({ faults: [], discontinuities: 0, missed: 0 })
  expect(verdict.segments).toBeGreaterThan(30)
  expect(stage.world.counters().quotaViolations).toEqual({})
  expect([200, 503]).toContain((await day).status)
  const { state } = await stage.world.admin.stream('lobby')
  expect(state).toBe('live')
})

test('G10: a closed range keeps no session of the live stream', async () => {
  await using stage = await startPast({ cameras })
  const endMs = stage.clock.now() - MINUTE_MS
  await stage.judge(stage.url(endMs - 20_000, endMs))
  const { state } = await stage.world.admin.stream('lobby')
  expect(state).toBe('idle')
  const { calls } = stage.world.counters()
  await stage.pass(10 * MINUTE_MS)
  expect(stage.world.counters().calls).toEqual(calls)
})

async function playlistUrl(stage: PastStage, url: string): Promise<string> {
  const list = (await stage.lists(url)).get('video')
  if (list === undefined) throw new Error('no video')
  return list.url
}

async function newest(stage: PastStage, url: string): Promise<ReadonlyMap<string, string>> {
  const found = new Map<string, string>()
  for (const { segments, url: base } of (await stage.lists(url)).values()) {
    for (const { uri } of segments.slice(-3)) {
      const segment = new URL(uri, base).href
      found.set(segment, digest((await stage.ask(segment)).body))
    }
  }
  return found
}

test('G8: what the DVR holds is not fetched again', async () => {
  await using stage = await startPast({ cameras, defaults: { dvr: '10m', activation: 'always' } })
  await stage.pass(90_000)
  const before = stage.world.counters().calls
  const verdict = await stage.judge(stage.url(stage.clock.now() - 60_000))
  expect(verdict).toMatchObject({ faults: [], discontinuities: 0, missed: 0 })
  expect(verdict.segments).toBeGreaterThanOrEqual(20)
  expect(verdict.decoded).toMatchObject({ video: SEAMLESS, audio: SEAMLESS })
  const { calls } = stage.world.counters()
  expect(calls['GetHLSStreamingSessionURL']).toEqual(before['GetHLSStreamingSessionURL'])
})
