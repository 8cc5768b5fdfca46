import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  Histories,
  POINT_EVERY_MS,
  type Point,
  type SessionMark,
  StreamHistory,
  streamHistory,
} from '../../src/streams/history.ts'

const HOUR_MS = 3_600_000
const START_MS = Date.UTC(2026, 0, 1, 12)
const asItIs = (ms: number): number => ms

const idle: Point = {
  state: 'idle',
  delayMs: Number.NaN,
  bitsPerSecond: Number.NaN,
  viewers: 0,
  upstreamBytesPerSecond: 0,
  downstreamBytesPerSecond: 0,
}
const point = fc.record<Point>({
  state: fc.constantFrom(
    'idle',
    'starting',
    'live',
    'stale',
    'slate',
    'offline',
    'ended',
    'failed',
  ),
  delayMs: fc.oneof(fc.constant(Number.NaN), fc.integer({ min: -60_000, max: 600_000 })),
  bitsPerSecond: fc.oneof(fc.constant(Number.NaN), fc.nat(2 ** 24)),
  viewers: fc.nat(20_000),
  upstreamBytesPerSecond: fc.nat(2 ** 24),
  downstreamBytesPerSecond: fc.nat(2 ** 24),
})
const opened: SessionMark = {
  atMs: START_MS,
  event: 'opened',
  session: 1,
  source: 'camera',
  cause: null,
}

describe('a stream’s last hour', () => {
  test('G18: holds what was noted within it, however much came before, in order', () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.integer({ min: 1, max: 60_000 }), point), { maxLength: 900 }),
        fc.nat(HOUR_MS),
        (noted, laterMs) => {
          const history = new StreamHistory()
          let nowMs = START_MS
          const all = noted.map(([waitedMs, each]) => {
            nowMs += waitedMs
            history.note(nowMs, each)
            return { atMs: nowMs, each }
          })
          nowMs += laterMs
          const kept = all
            .slice(-HOUR_MS / POINT_EVERY_MS)
            .filter(({ atMs }) => atMs >= nowMs - HOUR_MS)
          const view = streamHistory.parse(history.view(nowMs, asItIs))
          expect(view.at.map((at) => Date.parse(at))).toEqual(kept.map(({ atMs }) => atMs))
          expect(view.state).toEqual(kept.map(({ each }) => each.state))
          expect(view.viewers).toEqual(kept.map(({ each }) => each.viewers))
          expect(view.downstreamBytesPerSecond).toEqual(
            kept.map(({ each }) => each.downstreamBytesPerSecond),
          )
          expect(view.delaySeconds.map((s) => s === null)).toEqual(
            kept.map(({ each }) => Number.isNaN(each.delayMs)),
          )
        },
      ),
      { numRuns: 50 },
    )
  })

  test('says of figures that were not there that they were not, and rounds the others', () => {
    const history = new StreamHistory()
    history.note(START_MS, idle)
    history.note(START_MS + 1, { ...idle, state: 'live', delayMs: 2_345.6, bitsPerSecond: 999.6 })
    expect(history.view(START_MS + 1, asItIs)).toMatchObject({
      everySeconds: 10,
      state: ['idle', 'live'],
      delaySeconds: [null, 2.35],
      bitsPerSecond: [null, 1000],
    })
  })

  test('is told in dates, which may have been set since', () => {
    const history = new StreamHistory()
    history.note(START_MS, idle)
    history.mark(opened)
    const view = history.view(START_MS, (ms) => ms + HOUR_MS)
    expect(view.at).toEqual(['2026-01-01T13:00:00.000Z'])
    expect(view.sessions[0]?.at).toBe('2026-01-01T13:00:00.000Z')
  })

  test('G18: has a hundred marks of sessions at most; attempts that fail in a row are one', () => {
    const history = new StreamHistory()
    const failed = { ...opened, event: 'failed', session: null, cause: 'no_media' } as const
    for (let i = 0; i < 1_000; i += 1) history.mark({ ...failed, atMs: START_MS + i })
    history.mark({ ...failed, source: 'backup' })
    const { sessions } = history.view(START_MS + 1_000, asItIs)
    expect(sessions.map(({ source }) => source)).toEqual(['camera', 'backup'])
    expect(sessions[0]?.at).toBe(new Date(START_MS).toISOString())

    for (let i = 0; i < 1_000; i += 1) history.mark({ ...opened, session: i })
    expect(history.view(START_MS, asItIs).sessions).toHaveLength(100)
    expect(history.view(START_MS + HOUR_MS + 1, asItIs).sessions).toEqual([])
  })
})

test('G17: streams that are gone are forgotten', () => {
  const histories = new Histories()
  const lobby = histories.of('lobby')
  histories.of('gone').mark(opened)
  histories.keepOnly(new Set(['lobby']))
  expect(histories.of('lobby')).toBe(lobby)
  expect(histories.of('gone').view(START_MS, asItIs).sessions).toEqual([])
})
