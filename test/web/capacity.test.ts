import fc from 'fast-check'
import { beforeEach, describe, expect, test } from 'vitest'
import { Capacity, LOOK_EVERY_MS } from '../../src/web/pages/capacity.js'

const WANTED = 36

/** What a look sees of players that run. */
interface Seen {
  readonly lateMs: number
  readonly stillShare: number
  readonly droppedShare: number
}

const SMOOTH: Seen = { lateMs: 2, stillShare: 0, droppedShare: 0 }
const JERKY: Seen = { lateMs: 30, stillShare: 0.1, droppedShare: 0.5 }

class Bench {
  readonly capacity = new Capacity()
  now = 1_000_000

  look({ lateMs, stillShare, droppedShare }: Seen): void {
    this.now += LOOK_EVERY_MS + lateMs
    const running = Math.min(this.capacity.limit, WANTED)
    const frames = 12 * running
    this.capacity.look({
      now: this.now,
      wanted: WANTED,
      running,
      still: Math.round(running * stillShare),
      frames,
      dropped: Math.round(frames * droppedShare),
    })
  }

  /** The limits that were set in so many seconds of what is seen. */
  during(seconds: number, seen: Seen | ((limit: number) => Seen)): number[] {
    const limits: number[] = []
    const end = this.now + seconds * 1000
    while (this.now < end) {
      const before = this.capacity.limit
      this.look(typeof seen === 'function' ? seen(before) : seen)
      if (this.capacity.limit !== before) limits.push(this.capacity.limit)
    }
    return limits
  }
}

let bench: Bench

beforeEach(() => {
  bench = new Bench()
})

describe('how many pictures a machine can move', () => {
  test('all of them, for days, while it does so with ease', () => {
    expect(bench.during(86_400, SMOOTH)).toEqual([])
    expect(bench.capacity.limit).toBe(Number.POSITIVE_INFINITY)
  })

  test('frames that are dropped for long leave half of them, again and again, down to a ninth', () => {
    bench.during(20, SMOOTH)
    expect(bench.during(60, JERKY)).toEqual([18, 9, 4])
  })

  test('a start takes its time, and a hiccup is forgiven', () => {
    expect(bench.during(6, { ...JERKY, stillShare: 1 })).toEqual([])
    expect(bench.during(10, SMOOTH)).toEqual([])
    expect(bench.during(4, JERKY)).toEqual([])
    expect(bench.during(10, SMOOTH)).toEqual([])
  })

  test('pictures that stand still count where the page itself comes late', () => {
    expect(bench.during(60, { ...SMOOTH, stillShare: 0.9 })).toEqual([])
    expect(bench.during(20, { ...SMOOTH, stillShare: 0.9, lateMs: 200 })).not.toEqual([])
  })

  test('a machine that sleeps now and then is not one that is too weak', () => {
    bench.during(20, SMOOTH)
    for (let i = 0; i < 30; i += 1) {
      bench.look({ ...SMOOTH, lateMs: 3_600_000, stillShare: 1 })
      expect(bench.during(10, SMOOTH)).toEqual([])
    }
  })

  test('one that can move a dozen settles there, and tries more now and then', () => {
    const weak = (limit: number): Seen => (limit > 12 ? JERKY : SMOOTH)
    bench.during(60, weak)
    const limits = bench.during(600, weak)
    expect(limits.length).toBeLessThan(150)
    expect(Math.min(...limits)).toBeGreaterThanOrEqual(4)
    expect(Math.max(...limits)).toBeGreaterThan(12)
  })

  test('whatever was: with room again all have players within 9 s, and never less than a ninth did', () => {
    const seen = fc.record({
      lateMs: fc.constantFrom(0, 20, 120, 400, 900, 10_000),
      stillShare: fc.constantFrom(0, 0.2, 0.5, 1),
      droppedShare: fc.constantFrom(0, 0.05, 0.2, 0.8),
    })
    const history = fc.array(fc.tuple(seen, fc.integer({ min: 1, max: 90 })), { maxLength: 12 })
    fc.assert(
      fc.property(history, (episodes) => {
        const on = new Bench()
        for (const [what, seconds] of episodes) {
          for (const limit of on.during(seconds, what)) expect(limit).toBeGreaterThanOrEqual(4)
        }
        on.during(9, SMOOTH)
        expect(on.capacity.limit).toBeGreaterThanOrEqual(WANTED)
        on.during(3, SMOOTH)
        expect(on.capacity.limit).toBe(Number.POSITIVE_INFINITY)
      }),
    )
  })
})
