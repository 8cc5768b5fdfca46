import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { Cadence } from '../../src/sources/cadence.ts'

interface Camera {
  readonly durationsMs: readonly number[]
  readonly lagMs: number
  /** How long each is said to be; default: as long as it is. */
  readonly saidMs?: number
  /** How far the camera's clock is ahead of ours. */
  readonly skewMs?: number
}

/** Polls a camera as the ingest does; returns when each fragment was listed and seen, and every poll. */
function follow({ durationsMs, lagMs, saidMs, skewMs = 0 }: Camera, untilMs: number) {
  const listed: { endMs: number; durationMs: number; listedMs: number }[] = []
  let endMs = 0
  for (let k = 0; endMs < untilMs; k += 1) {
    const durationMs = durationsMs[k % durationsMs.length] ?? 2000
    endMs += durationMs
    listed.push({ endMs, durationMs, listedMs: endMs + lagMs })
  }
  const cadence = new Cadence(0)
  const polls: number[] = []
  const delays: number[] = []
  let seen = 0
  while (cadence.dueMs < untilMs) {
    const now = cadence.dueMs
    polls.push(now)
    const fresh = listed.filter(({ listedMs }, k) => k >= seen && listedMs <= now)
    const newest = fresh.at(-1)
    if (newest === undefined) cadence.miss(now)
    else {
      seen += fresh.length
      delays.push(now - (fresh[0]?.listedMs ?? now))
      const { endMs, durationMs } = newest
      cadence.hit(now, {
        endMs: endMs + skewMs + (saidMs ?? durationMs) - durationMs,
        durationMs: saidMs ?? durationMs,
        fragments: fresh.length,
      })
    }
  }
  return { polls, delays }
}

/** After a minute of fragments of 2 s that are listed 340 ms after their end. */
function steady(): Cadence {
  const cadence = new Cadence(0)
  for (let endMs = 0; endMs < 60_000; ) {
    const askedMs = cadence.dueMs
    if (askedMs < endMs + 2000 + 340) cadence.miss(askedMs)
    else {
      endMs += 2000
      cadence.hit(askedMs, { endMs, durationMs: 2000, fragments: 1 })
    }
  }
  return cadence
}

describe('cadence', () => {
  test('a steady camera is asked about once a fragment, soon after each is listed', () => {
    const { polls, delays } = follow({ durationsMs: [2000], lagMs: 340 }, 120_000)
    expect(Math.max(...delays.slice(4))).toBeLessThanOrEqual(120)
    expect(polls.length).toBeLessThan(2 * delays.length)
  })

  test('a camera whose clock runs an hour ahead or behind is followed alike', () => {
    const skews = [-3_600_000, 0, 3_600_000]
    const followed = skews.map((skewMs) =>
      follow({ durationsMs: [2000], lagMs: 340, skewMs }, 60_000),
    )
    const [behind, right, ahead] = followed.map(({ polls }) => polls)
    expect(behind).toEqual(right)
    expect(ahead).toEqual(right)
  })

  test('a camera of irregular fragments is never asked much too late', () => {
    const { delays } = follow({ durationsMs: [4000, 1200, 3700, 4000, 3100], lagMs: 340 }, 120_000)
    expect(Math.max(...delays.slice(3))).toBeLessThanOrEqual(400)
  })

  test('G9: whatever the camera does, one of five polls a second is left for the other track', () => {
    const lengths = fc.array(fc.integer({ min: 1000, max: 20_000 }), { minLength: 1, maxLength: 6 })
    fc.assert(
      fc.property(lengths, fc.integer({ min: 0, max: 5000 }), (durationsMs, lagMs) => {
        const { polls } = follow({ durationsMs, lagMs }, 60_000)
        polls.forEach((at, i) => {
          const fourth = polls[i + 4]
          if (fourth !== undefined) expect(fourth - at).toBeGreaterThan(1000)
        })
      }),
      { numRuns: 1000 },
    )
  })

  test('G8: a poll out of turn, as of a new session, does not change when the next one is due', () => {
    const [camera, other] = [steady(), steady()]
    const dueMs = camera.dueMs
    camera.miss(dueMs - 1500)
    expect(camera.dueMs).toBe(dueMs)
    camera.hit(dueMs + 20, { endMs: 62_000, durationMs: 2000, fragments: 1 })
    other.hit(dueMs + 20, { endMs: 62_000, durationMs: 2000, fragments: 1 })
    expect(camera.dueMs).toBe(other.dueMs)
  })

  test('G9: nor does it let the next one follow too soon', () => {
    const camera = steady()
    const askedMs = camera.dueMs - 1
    camera.miss(askedMs)
    expect(camera.dueMs - askedMs).toBeGreaterThanOrEqual(300)
  })

  test('a time in which nobody could ask does not tell of the lag', () => {
    const camera = steady()
    camera.miss(camera.dueMs)
    camera.hit(camera.dueMs + 600_000, {
      endMs: camera.dueMs + 599_500,
      durationMs: 2000,
      fragments: 1,
    })
    const askedMs = camera.dueMs
    camera.hit(askedMs, { endMs: askedMs - 500, durationMs: 2000, fragments: 1 })
    expect(camera.dueMs - askedMs).toBeGreaterThan(1500)
  })

  test('fragments that are ten times shorter than they are said to be are asked for as they come', () => {
    const durationsMs = Array.from({ length: 40 }, () => 1000)
    const { delays } = follow({ durationsMs, lagMs: 340, saidMs: 10_000 }, 40_000)
    expect(Math.max(...delays.slice(4))).toBeLessThanOrEqual(400)
  })

  test('a late fragment is asked for at least each second', () => {
    const cadence = new Cadence(0)
    cadence.hit(0, { endMs: 0, durationMs: 2000, fragments: 1 })
    for (let k = 0; k < 20; k += 1) {
      const asked = cadence.dueMs
      cadence.miss(asked)
      expect(cadence.dueMs - asked).toBeLessThanOrEqual(1000)
    }
  })
})
