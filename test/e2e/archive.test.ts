import { describe, expect, test } from 'vitest'
import { digest } from '../proof/origin.ts'
import { during } from '../support/pace.ts'
import { ask } from '../support/raw-http.ts'
import { cameraOf } from '../support/world.ts'
import { type PastStage, startPast } from './support/past.ts'

const SEAMLESS = { warnings: [], gaps: [], runs: 1 }
const MINUTE_MS = 60_000
const HOUR_MS = 60 * MINUTE_MS

type Camera = NonNullable<NonNullable<Parameters<typeof startPast>[0]>['cameras']>[string]

/** A camera of 1-s fragments. */
function lobby(camera: Camera = {}): Record<string, Camera> {
  return { lobby: { clip: 'av-360p', ...camera } }
}

function callsOf(stage: PastStage, operation?: string): number {
  const { calls } = stage.world.counters()
  const chosen = operation === undefined ? Object.values(calls) : [calls[operation] ?? {}]
  return chosen.flatMap((byStatus) => Object.values(byStatus)).reduce((sum, n) => sum + n, 0)
}

function problem(body: Buffer): Record<string, unknown> {
  return JSON.parse(String(body)) as Record<string, unknown>
}

/** The last minute but one. */
function minute(stage: PastStage): string {
  const endMs = stage.clock.now() - MINUTE_MS
  return stage.url(endMs - MINUTE_MS, endMs)
}

describe('a range of the past', () => {
  test('G2, G4: plays from its first fragment to its last', async () => {
    await using stage = await startPast({ cameras: lobby() })
    const startMs = stage.clock.now() - 2 * MINUTE_MS
    const url = minute(stage)
    const verdict = await stage.judge(url)
    expect(verdict).toMatchObject({ faults: [], segments: 60, discontinuities: 0, missed: 0 })
    expect(verdict.decoded).toMatchObject({ video: SEAMLESS, audio: SEAMLESS })
    for (const list of (await stage.lists(url)).values()) {
      expect(list).toMatchObject({ ended: true, mediaSequence: 0, targetDurationS: 1 })
      expect(list.segments[0]?.pdtMs).toBe(startMs)
    }
  })

  test('G8: is listed and fetched once, however many watch it', async () => {
    await using stage = await startPast({ cameras: lobby() })
    const url = minute(stage)
    const masters = await during(
      stage.clock,
      Promise.all(Array.from({ length: 200 }, () => ask(url))),
    )
    expect(new Set(masters.map(({ status }) => status))).toEqual(new Set([200]))
    const lists = await stage.lists(url)
    const segments = [...lists.values()].flatMap(({ segments: [first], url: base }) =>
      first === undefined ? [] : [new URL(first.uri, base).href],
    )
    const viewers = Array.from({ length: 100 }, () => segments).flat()
    const bodies = await during(stage.clock, Promise.all(viewers.map((segment) => ask(segment))))
    expect(new Set(bodies.map(({ body }) => digest(body))).size).toBe(2)
    await stage.judge(url)

    expect(callsOf(stage, 'GetHLSStreamingSessionURL')).toBe(1)
    expect(callsOf(stage, 'GetHLSMediaPlaylist')).toBe(2)
    expect(callsOf(stage, 'GetMP4InitFragment')).toBe(2)
    expect(callsOf(stage, 'GetMP4MediaFragment')).toBe(120)
  })

  test('G1, G15: is the same from a gateway that knows nothing of the first, byte for byte, whatever base its session counts in', async () => {
    await using stage = await startPast({ cameras: lobby({ tfdtBase: 'session' }) })
    const startMs = stage.clock.now() - HOUR_MS
    const before = await contents(stage, stage.url(startMs, startMs + 20_000))
    await during(stage.clock, stage.world.stopGateway())
    stage.world.control.patchCamera(cameraOf(), { tfdtBase: 'fragment' })
    await stage.world.startGateway()
    expect(await contents(stage, stage.url(startMs, startMs + 20_000))).toEqual(before)
    // A range that begins elsewhere is another session's, and gives the same bytes for the same fragment.
    const later = await contents(stage, stage.url(startMs + 5_000, startMs + 20_000))
    expect([...before.values()]).toEqual(expect.arrayContaining([...later.values()]))
  })

  test('G4: gaps, overlaps and new codec private data are discontinuities, and nothing else is', async () => {
    await using stage = await startPast({ cameras: lobby() })
    const startMs = stage.clock.now()
    await stage.pass(10_500)
    stage.world.control.stopProducer(cameraOf())
    await stage.pass(20_000)
    stage.world.control.resumeProducer(cameraOf())
    await stage.pass(10_000)
    stage.world.control.order(cameraOf(), { type: 'drop', count: 3 })
    await stage.pass(10_000)
    stage.world.control.order(cameraOf(), { type: 'overlap', count: 1, ms: 400 })
    await stage.pass(10_000)
    stage.world.control.order(cameraOf(), { type: 'codec-private-data' })
    await stage.pass(20_000)
    const url = stage.url(startMs, stage.clock.now() - 5_000)
    const verdict = await stage.judge(url)
    expect(verdict).toMatchObject({ faults: [], missed: 0 })
    expect(verdict.decoded['video']).toMatchObject({ warnings: [], gaps: [] })
    expect(verdict.discontinuities).toBe(5)
    const { segments = [] } = (await stage.lists(url)).get('video') ?? {}
    expect(new Set(segments.map(({ mapUri }) => mapUri)).size).toBe(2)
  })

  test('G4: another codec is a part of its own, behind a discontinuity', async () => {
    await using stage = await startPast({ cameras: lobby() })
    const startMs = stage.clock.now()
    await stage.pass(10_500)
    stage.world.control.order(cameraOf(), { type: 'clip', clip: 'hevc' })
    await stage.pass(40_000)
    const url = stage.url(startMs, startMs + 30_000)
    const verdict = await stage.judge(url, { gapMs: 80 })
    expect(verdict.faults.filter(({ kind }) => kind !== 'codecs-mismatch')).toEqual([])
    expect(verdict.discontinuities).toBe(1)
    expect(verdict.decoded['video']).toMatchObject({ warnings: [], gaps: [], runs: 2 })
  })

  test('G7: tracks that come and go are parts of their own, with gaps where there is no sound', async () => {
    await using stage = await startPast({ cameras: lobby() })
    const startMs = stage.clock.now()
    await stage.pass(10_500)
    stage.world.control.order(cameraOf(), { type: 'tracks', video: true, audio: false })
    await stage.pass(20_000)
    stage.world.control.order(cameraOf(), { type: 'tracks', video: true, audio: true })
    await stage.pass(20_000)
    const url = stage.url(startMs, startMs + 45_000)
    const verdict = await stage.judge(url)
    expect(verdict).toMatchObject({ faults: [], segments: 45, missed: 0 })
    const lists = await stage.lists(url)
    const gaps = lists.get('audio')?.segments.filter(({ gap }) => gap) ?? []
    expect(gaps).toHaveLength(20)
    expect(lists.get('video')?.segments.some(({ gap }) => gap)).toBe(false)
  })

  test('holds what came too late to be seen live', async () => {
    await using stage = await startPast({ cameras: lobby() })
    const startMs = stage.clock.now()
    await stage.pass(5_200)
    stage.world.control.order(cameraOf(), { type: 'late', count: 2, ms: 20_000 })
    await stage.pass(35_000)
    const verdict = await stage.judge(stage.url(startMs, startMs + 20_000))
    expect(verdict).toMatchObject({ faults: [], segments: 20, discontinuities: 0 })
  })

  test('past 24 hours and 5,000 fragments: one list out of many sessions, within the quotas', async () => {
    await using stage = await startPast({
      cameras: { lobby: { clip: 'av-720p', retentionHours: 48 } },
    })
    const endMs = stage.clock.now() - HOUR_MS
    const url = stage.url(endMs - 30 * HOUR_MS, endMs)
    // Longer than a viewer waits, at our share of the points; what is done by then is not done again.
    const first = await stage.ask(url)
    expect(first.status).toBe(503)
    expect(first.headers['retry-after']).toBe('2')
    const lists = await stage.lists(url)
    const { segments = [] } = lists.get('video') ?? {}
    expect(segments).toHaveLength(54_000)
    expect(new Set(segments.map(({ uri }) => uri)).size).toBe(54_000)
    expect(segments.filter(({ discontinuity }) => discontinuity)).toEqual([])
    expect(lists.get('audio')?.segments).toHaveLength(54_000)
    expect(stage.world.counters().quotaViolations).toEqual({})
    expect(callsOf(stage, 'GetHLSStreamingSessionURL')).toBe(29)
    expect(callsOf(stage, 'GetHLSMediaPlaylist')).toBe(58)
  })

  test('the seam between two sessions of one list cannot be seen', async () => {
    // A share so small that a list holds 75 fragments.
    await using stage = await startPast({
      cameras: lobby({ tfdtBase: 'session' }),
      aws: { quotaShare: 0.02 },
    })
    const endMs = stage.clock.now() - MINUTE_MS
    const verdict = await stage.judge(stage.url(endMs - 2 * MINUTE_MS, endMs))
    expect(verdict).toMatchObject({ faults: [], segments: 120, discontinuities: 0 })
    expect(verdict.decoded).toMatchObject({ video: SEAMLESS, audio: SEAMLESS })
    expect(callsOf(stage, 'GetHLSStreamingSessionURL')).toBe(2)
  })

  test('a day without media between two hours with some is no obstacle', async () => {
    await using stage = await startPast({
      cameras: lobby({
        retentionHours: 72,
        events: [
          { atMs: Date.UTC(2025, 11, 29, 1), event: { type: 'stop' } },
          { atMs: Date.UTC(2025, 11, 30, 23), event: { type: 'resume' } },
        ],
      }),
    })
    const startMs = Date.UTC(2025, 11, 29, 0, 50)
    const lists = await stage.lists(stage.url(startMs, Date.UTC(2025, 11, 30, 23, 10)))
    const { segments = [] } = lists.get('video') ?? {}
    expect(segments.length).toBeGreaterThan(1190)
    expect(segments.filter(({ discontinuity }) => discontinuity)).toHaveLength(1)
  })
})

test('G17: ranges that nobody waits for any more cost nothing, and keep nobody else waiting', async () => {
  await using stage = await startPast({
    cameras: { lobby: { clip: 'av-720p', retentionHours: 72 } },
  })
  const endMs = stage.clock.now() - HOUR_MS
  const leaving = new AbortController()
  const left = [1, 2, 3, 4].map((i) =>
    fetch(stage.url(endMs - 40 * HOUR_MS - i, endMs), { signal: leaving.signal }).catch(() => {}),
  )
  await stage.pass(4_000)
  const underWay = callsOf(stage)
  expect(underWay).toBeGreaterThan(0)
  leaving.abort()
  await during(stage.clock, Promise.all(left))
  await stage.pass(2_000)
  const after = callsOf(stage)
  await stage.pass(60_000)
  expect(callsOf(stage)).toBe(after)
  expect((await stage.ask(minute(stage))).status).toBe(200)
})

test('G17: a range in 1970 costs little, and nothing when it is asked for again', async () => {
  await using stage = await startPast({ cameras: lobby() })
  const ask = (ms: number): Promise<number> =>
    stage.ask(stage.url(ms, ms + 10_000)).then(({ status }) => status)
  expect(await ask(1_000)).toBe(404)
  const calls = callsOf(stage)
  for (let i = 2; i < 12; i += 1) expect(await ask(i * 1_000)).toBe(404)
  expect(callsOf(stage)).toBe(calls)
})

describe('trouble', () => {
  test('G3: a session that is revoked in mid-play is replaced unseen', async () => {
    await using stage = await startPast({ cameras: lobby() })
    const url = minute(stage)
    const lists = await stage.lists(url)
    stage.world.control.revoke(cameraOf())
    const verdict = await stage.judge(url)
    expect(verdict).toMatchObject({ faults: [], segments: 60, discontinuities: 0 })
    expect(verdict.decoded).toMatchObject({ video: SEAMLESS, audio: SEAMLESS })
    expect(lists.size).toBe(2)
    expect(callsOf(stage, 'GetHLSStreamingSessionURL')).toBe(2)
  })

  test('G3: so is one that has expired while the player was paused', async () => {
    await using stage = await startPast({ cameras: lobby(), defaults: { kvs: { expires: '5m' } } })
    const url = minute(stage)
    const lists = await stage.lists(url)
    await stage.pass(400_000)
    const video = lists.get('video')
    const uri = video?.segments[30]?.uri ?? ''
    const answer = await stage.ask(new URL(uri, video?.url).href)
    expect(answer.status).toBe(200)
  })

  test('G12: refusals, resets and server errors delay, and spoil nothing', async () => {
    const refusal = { status: 400, type: 'ClientLimitExceededException' }
    const faults = [
      { kind: 'status', ...refusal, probability: 0.1 },
      { kind: 'reset', probability: 0.1 },
      { kind: 'status', status: 500, type: 'InternalFailure', probability: 0.1 },
    ] as const
    await using stage = await startPast({ cameras: lobby({ faults: [...faults] }) })
    const endMs = stage.clock.now() - MINUTE_MS
    const verdict = await stage.judge(stage.url(endMs - 20_000, endMs))
    expect(verdict).toMatchObject({ faults: [], segments: 20, discontinuities: 0 })
    expect(verdict.decoded).toMatchObject({ video: SEAMLESS, audio: SEAMLESS })
  })

  test('G12: halves of MPEG-TS segments are fetched again', async () => {
    const half = { kind: 'truncate', operation: 'GetTSFragment', probability: 0.2 } as const
    await using stage = await startPast({
      cameras: lobby({ faults: [half] }),
      defaults: { kvs: { containerFormat: 'MPEG_TS' } },
    })
    const endMs = stage.clock.now() - MINUTE_MS
    // A list of what has both tracks in one says how long the picture is; the sound is up to a frame off.
    const verdict = await stage.judge(stage.url(endMs - 20_000, endMs), { extinfMs: 22 })
    expect(verdict).toMatchObject({ faults: [], segments: 20, discontinuities: 0 })
    expect(callsOf(stage, 'GetTSFragment')).toBeGreaterThan(20)
  })

  test('nothing in the range: 404 with the nearest times', async () => {
    const awayMs = Date.UTC(2025, 11, 31, 20)
    const backMs = Date.UTC(2025, 11, 31, 22)
    await using stage = await startPast({
      cameras: lobby({
        events: [
          { atMs: awayMs, event: { type: 'stop' } },
          { atMs: backMs, event: { type: 'resume' } },
        ],
      }),
    })
    const { status, headers, body } = await stage.ask(
      stage.url(awayMs + HOUR_MS, awayMs + 1.5 * HOUR_MS),
    )
    expect(status).toBe(404)
    expect(headers['cache-control']).toBe('public, max-age=1')
    const { code, nearestBefore, nearestAfter } = problem(body)
    expect(code).toBe('no_recording')
    expect(Math.abs(Date.parse(String(nearestBefore)) - awayMs)).toBeLessThan(1_500)
    expect(Math.abs(Date.parse(String(nearestAfter)) - backMs)).toBeLessThan(1_500)
  })

  test('400 that says why', async () => {
    await using stage = await startPast({ cameras: lobby() })
    for (const [query, detail] of [
      ['start=yesterday', /start: expected an ISO 8601 time/],
      ['end=1767225000', /start is missing/],
      ['start=2027-01-01T00:00:00Z', /future/],
      ['start=1767220000&end=1767210000', /end has to be later than start/],
      ['start=2025-01-01T00:00:00Z', /longer than/],
      ['start=2025-11-01T00:00:00Z&end=2025-12-01T00:00:00Z', /longer than/],
    ] as const) {
      const { status, body } = await stage.ask(`${stage.world.watchUrl()}?${query}`)
      expect(status, query).toBe(400)
      expect(problem(body)).toMatchObject({
        code: 'bad_request',
        detail: expect.stringMatching(detail) as unknown,
      })
    }
    expect(callsOf(stage)).toBe(0)
  })

  test('ranges from before all recording, near which there is nothing, keep no place from others', async () => {
    await using stage = await startPast({ cameras: lobby() })
    const empty = Array.from({ length: 4 }, (_, i) => ask(stage.url(i, 1000 + i)))
    await stage.pass(2_000)
    const { status } = await stage.ask(minute(stage))
    expect(status).toBe(200)
    const answers = await during(stage.clock, Promise.all(empty))
    expect(answers.map((answer) => answer.status)).toEqual([404, 404, 404, 404])
  })

  test('G17: names that nobody was told, and ranges without end, leave upstream in peace', async () => {
    await using stage = await startPast({ cameras: lobby() })
    const base = `${stage.world.gateway.publicUrl}/hls/lobby/archive`
    const nowMs = stage.clock.now()
    for (const path of [
      'x-y/video.m3u8',
      `${nowMs - 1000}-${nowMs - 2000}/video.m3u8`,
      `${nowMs + 1000}-open/video.m3u8`,
      `1-open/video.m3u8`,
      `${nowMs - 1000}-open/text.m3u8`,
      `${nowMs - 1000}-open/video/x.m4s`,
      `..%2f..%2fx/video.m3u8`,
    ]) {
      const { status } = await stage.ask(`${base}/${path}`)
      expect([400, 404], path).toContain(status)
    }
    expect(callsOf(stage)).toBe(0)

    const many = Array.from(
      { length: 60 },
      (_, i) => `${base}/${nowMs - HOUR_MS - i}-${nowMs - MINUTE_MS}/video.m3u8`,
    )
    const statuses = await during(stage.clock, Promise.all(many.map((url) => ask(url))))
    expect(statuses.filter(({ status }) => status === 503).length).toBeGreaterThan(40)
    expect(callsOf(stage, 'GetHLSStreamingSessionURL')).toBeLessThanOrEqual(20)
  })
})

async function contents(stage: PastStage, url: string): Promise<ReadonlyMap<string, string>> {
  const found = new Map<string, string>()
  for (const { segments, url: base } of (await stage.lists(url)).values()) {
    for (const { uri } of segments) {
      const { body, status } = await stage.ask(new URL(uri, base).href)
      found.set(uri, `${status} ${digest(body)}`)
    }
  }
  return found
}
