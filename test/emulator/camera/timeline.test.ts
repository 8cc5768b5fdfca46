import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { CameraEvent } from '../../../src/emulator/camera/event.ts'
import type { Fragment } from '../../../src/emulator/camera/fragment.ts'
import { Timeline } from '../../../src/emulator/camera/timeline.ts'
import { loadClip } from '../../../src/emulator/media/clip.ts'
import { LiveSource } from '../../../src/emulator/session/live-source.ts'

const ANCHOR = Date.UTC(2025, 0, 1)
const TIMING = { ingestLatencyMs: 150, ingestJitterMs: 100, serverJitterMs: 20 }
const timeline = (): Timeline => new Timeline('cam', loadClip('av-360p'), ANCHOR, TIMING)
const at = (second: number): number => ANCHOR + second * 1000

const count = fc.integer({ min: 1, max: 3 })
const event: fc.Arbitrary<CameraEvent> = fc.oneof(
  fc.record({ type: fc.constant('drop' as const), count, every: fc.constantFrom(1, 2) }),
  fc.record({ type: fc.constant('duplicate' as const), count, lag: fc.nat(3) }),
  fc.record({ type: fc.constant('late' as const), count, ms: fc.integer({ min: 1, max: 5000 }) }),
  fc.record({ type: fc.constant('skew' as const), ms: fc.integer({ min: -9000, max: 9000 }) }),
  fc.constantFrom<CameraEvent>(
    { type: 'stop' },
    { type: 'resume' },
    { type: 'reconnect', count: 7, every: 3 },
    { type: 'congested', count: 30, growMs: 400, untilMs: 3000 },
    { type: 'codec-private-data', changes: 3, every: 2 },
    { type: 'alternate', count: 7, every: 2, ms: -3000 },
    { type: 'drift', ppm: -50_000 },
    { type: 'clip', clip: 'av-360p-irregular' },
    { type: 'clip', clip: 'hevc' },
    { type: 'timing', ingestLatencyMs: 10, ingestJitterMs: 900, serverJitterMs: 50 },
  ),
)
/** Orders at seconds 10 to 50 of a minute. */
const script = fc
  .array(fc.record({ event, atMs: fc.integer({ min: at(10), max: at(50) }) }), { maxLength: 8 })
  .map((orders) => orders.toSorted((a, b) => a.atMs - b.atMs))

const minute = (line: Timeline): readonly Fragment[] => [...line.between(at(0), at(59))]

test('undisturbed, a fragment follows each second, listed when it is complete and ingested', () => {
  const fragments = minute(timeline())
  expect(fragments).toHaveLength(60)
  fragments.forEach((fragment, i) => {
    expect(fragment.producerMs).toBe(at(i))
    expect(fragment.listedAtMs).toBeGreaterThanOrEqual(at(i + 1) + 150)
    expect(fragment.listedAtMs).toBeLessThanOrEqual(at(i + 1) + 250)
    expect(Math.abs(fragment.serverMs - at(i) - 150)).toBeLessThanOrEqual(20)
  })
})

test('whatever happens, numbers grow in the order of ingestion and each leads back', () => {
  fc.assert(
    fc.property(script, (orders) => {
      const line = timeline()
      for (const order of orders) line.script.order(order.event, order.atMs)
      const fragments = minute(line)
      fragments.forEach((fragment, i) => {
        const before = fragments[i - 1]?.number ?? 0n
        expect(fragment.number).toBeGreaterThan(before)
        expect(line.find(fragment.number)).toEqual(fragment)
      })
    }),
  )
})

test('an order never changes what was visible before it', () => {
  fc.assert(
    fc.property(script, (orders) => {
      const line = timeline()
      for (const { event: ordered, atMs } of orders) {
        const seen = minute(line).filter(({ listedAtMs }) => listedAtMs <= atMs)
        line.script.order(ordered, atMs)
        const now = minute(line).filter(({ listedAtMs }) => listedAtMs <= atMs)
        expect(now).toEqual(seen)
      }
    }),
  )
})

test('what LIVE shows poll by poll is what the archive makes of it later', () => {
  fc.assert(
    fc.property(script, (orders) => {
      const line = timeline()
      const [first] = line.ingested(0)
      if (first === undefined) throw new Error('the first second is undisturbed')
      const live = new LiveSource(line, [first])
      const shown: Fragment[] = [first]
      const due = [...orders]
      for (let now = at(2); now < at(59); now += 250) {
        while (due[0] !== undefined && due[0].atMs <= now) {
          const order = due.shift()
          if (order !== undefined) line.script.order(order.event, order.atMs)
        }
        shown.push(...live.take(now))
      }
      const archive = minute(line).filter((fragment) => {
        return fragment.listedAtMs < at(59) - 250 && !line.overtaken(fragment, at(59))
      })
      expect(shown.filter(({ listedAtMs }) => listedAtMs < at(59) - 250)).toEqual(archive)
    }),
  )
})

test('two timelines of one name are equal, and of two names are not', () => {
  const [a, b] = [minute(timeline()), minute(timeline())]
  expect(a).toEqual(b)
  const other = new Timeline('other', loadClip('av-360p'), ANCHOR, TIMING)
  expect(minute(other)[0]?.number).not.toBe(a[0]?.number)
})

test('a stop may be scheduled, and another ordered before it', () => {
  const line = timeline()
  line.script.order({ type: 'stop' }, at(40))
  line.script.order({ type: 'stop' }, at(10))
  line.script.order({ type: 'resume' }, at(20))
  const seconds = minute(line).map(({ producerMs }) => (producerMs - at(0)) / 1000)
  expect(seconds).toEqual([...Array(10).keys(), ...Array.from({ length: 20 }, (_, i) => 20 + i)])
})
