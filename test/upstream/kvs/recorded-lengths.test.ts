import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { Log } from '../../../src/base/log.ts'
import { silentLog } from '../../../src/base/log.ts'
import { exceedsTarget, targetDurationFor } from '../../../src/timeline/target-duration.ts'
import type { StoredFragment } from '../../../src/upstream/kvs/kvs-api.ts'
import {
  lengthsOf,
  longestUsual,
  RecordedLengths,
} from '../../../src/upstream/kvs/recorded-lengths.ts'
import type { StoredPast } from '../../../src/upstream/kvs/stored-past.ts'
import { ManualClock } from '../../support/manual-clock.ts'

/** How many fragments KVS's own list holds. */
const LISTED = 10
const START_MS = Date.UTC(2026, 0, 1)

interface Camera {
  readonly frameMs: number
  /** Lengths of its fragments in pictures, in turn. */
  readonly pictures: readonly number[]
}

/** What cameras send: each a few lengths over and over. */
const cameras: fc.Arbitrary<Camera> = fc.record({
  frameMs: fc.constantFrom(20, 33.3667, 40, 66.7, 100, 200),
  pictures: fc.array(fc.integer({ min: 5, max: 300 }), { minLength: 1, maxLength: 8 }),
})

/** All fragments that a camera has sent, as they really are. */
function sent({ frameMs, pictures }: Camera, count: number): { startMs: number; ms: number }[] {
  let startMs = START_MS
  return Array.from({ length: count }, (_, i) => {
    const ms = (pictures[i % pictures.length] ?? 1) * frameMs
    const fragment = { startMs, ms }
    startMs += ms
    return fragment
  })
}

/** As ListFragments tells of it: without the last picture. KVS.md, section 3.4. */
function stored(
  { startMs, ms }: { startMs: number; ms: number },
  i: number,
  frameMs: number,
): StoredFragment {
  return {
    number: BigInt(i),
    producerMs: Math.round(startMs),
    serverMs: Math.round(startMs + ms),
    lengthMs: Math.round(ms - frameMs),
    bytes: 1,
  }
}

function recorded(camera: Camera, count: number): StoredFragment[] {
  return sent(camera, count).map((fragment, i) => stored(fragment, i, camera.frameMs))
}

/** What KVS says in its own list: the longest EXTINF of those that it lists, rounded up. KVS.md, section 3.4. */
function kvsTargets(lengthsMs: readonly number[]): number[] {
  return lengthsMs.slice(LISTED - 1).map((_, i) => {
    const extinfs = lengthsMs.slice(i, i + LISTED).map((ms) => Math.round(ms) / 1000)
    return Math.max(1, ...extinfs.map(Math.ceil))
  })
}

describe('what was recorded', () => {
  test('G5: tells a target duration that no fragment of the camera exceeds, and that is not above what KVS says', () => {
    fc.assert(
      fc.property(cameras, (camera) => {
        const target = targetDurationFor(longestUsual(lengthsOf(recorded(camera, 90))), 1)
        const lengthsMs = sent(camera, 90).map(({ ms }) => ms)
        expect(lengthsMs.some((ms) => exceedsTarget(ms, target))).toBe(false)
        // KVS says so at every moment: its list goes through all lengths that such a camera has.
        expect(target).toBeLessThanOrEqual(Math.min(...kvsTargets(lengthsMs)))
      }),
    )
  })

  test('G5: of a camera whose fragments come as they like it is what KVS says when it lists the longest', () => {
    fc.assert(
      fc.property(
        fc.record({
          frameMs: fc.constantFrom(33.3667, 40, 100),
          pictures: fc.array(fc.integer({ min: 5, max: 300 }), { minLength: 90, maxLength: 99 }),
        }),
        (camera) => {
          const count = camera.pictures.length
          const target = targetDurationFor(longestUsual(lengthsOf(recorded(camera, count))), 1)
          const lengthsMs = sent(camera, count).map(({ ms }) => ms)
          expect(lengthsMs.some((ms) => exceedsTarget(ms, target))).toBe(false)
          expect(target).toBeLessThanOrEqual(Math.max(...kvsTargets(lengthsMs)))
        },
      ),
    )
  })

  test('adds the last picture, which ListFragments leaves out', () => {
    expect(lengthsOf(recorded({ frameMs: 40, pictures: [50] }, 3))).toEqual([2000, 2000, 2000])
    expect(lengthsOf(recorded({ frameMs: 1000, pictures: [2] }, 3))).toEqual([2000, 2000, 2000])
    expect(lengthsOf(recorded({ frameMs: 40, pictures: [50] }, 1))).toEqual([1960])
    expect(lengthsOf([])).toEqual([])
  })

  test('has gaps, overlaps and nonsense, which make no fragment longer', () => {
    const odd = recorded({ frameMs: 40, pictures: [50] }, 30)
      .filter((_, i) => i % 7 !== 3)
      .map((fragment, i) => ({
        ...fragment,
        ...(i === 5 ? { lengthMs: 4_000_000 } : {}),
        ...(i === 10 ? { lengthMs: 0 } : {}),
        ...(i === 15 ? { producerMs: START_MS - 5_000_000 } : {}),
      }))
    expect(new Set(lengthsOf(odd))).toEqual(new Set([2000]))
  })

  test('leaves out what happens to one fragment in a hundred and is twice as long', () => {
    const usual = Array.from({ length: 299 }, () => 2000)
    expect(longestUsual([...usual, 20_000, 9_000])).toBe(2000)
    expect(longestUsual([...usual, 20_000, 19_000, 18_000, 17_000])).toBe(20_000)
    expect(longestUsual([...usual, 3_900])).toBe(3_900)
    expect(longestUsual([...usual.slice(0, 90), 20_000])).toBe(20_000)
    expect(longestUsual([])).toBe(0)
  })
})

describe('asking for it', () => {
  const never = (): Promise<never> => new Promise(() => {})

  function asked(list: StoredPast['list'], log: Log = silentLog) {
    const clock = new ManualClock()
    return { clock, lengths: new RecordedLengths({ clock, log, past: { list } }) }
  }

  test('is one call for what came lately, however often it is wanted at once', async () => {
    const ranges: Parameters<StoredPast['list']>[0][] = []
    const { clock, lengths } = asked(async (range) => {
      ranges.push(range)
      return recorded({ frameMs: 40, pictures: [50] }, 10)
    })
    expect(lengths).toMatchObject({ longestMs: 0, isSure: false, targetDurationS: 0 })
    lengths.ask()
    lengths.ask()
    await lengths.settled()
    expect(lengths).toMatchObject({ longestMs: 2000, isSure: true })
    const endMs = clock.date()
    expect(ranges).toEqual([{ clock: 'SERVER', startMs: endMs - 300_000, endMs, isSample: true }])
  })

  test('is not sure of a camera that has just begun', async () => {
    const { lengths } = asked(async () => recorded({ frameMs: 40, pictures: [100, 30] }, 9))
    lengths.ask()
    await lengths.settled()
    expect(lengths).toMatchObject({ longestMs: 4000, isSure: false })
  })

  test('waits for nobody: without an answer it is over soon, and says so', async () => {
    const told: string[] = []
    const { clock, lengths } = asked(never, { ...silentLog, info: (event) => told.push(event) })
    await lengths.settled()
    lengths.ask()
    const settled = lengths.settled()
    clock.advance(1_500)
    await settled
    expect(lengths).toMatchObject({ longestMs: 0, isSure: false })
    expect(told).toEqual([expect.stringContaining('does not tell how long fragments are')])
  })
})
