import fc from 'fast-check'
import { expect, test } from 'vitest'
import { Episode } from '../../src/events/episode.ts'

const RULES = { calmMs: 10_000, mostCalmMs: 320_000 }

test('an episode is told once, and its end once all has been well for a while', () => {
  const episode = new Episode<'lost' | 'failed'>(RULES)
  expect(episode.look(undefined, 0)).toBeUndefined()
  expect(episode.look('lost', 1_000)).toBe('new')
  expect(episode.look('lost', 2_000)).toBeUndefined()
  expect(episode.look('failed', 3_000)).toBe('new')
  expect(episode.look('lost', 4_000)).toBeUndefined()
  expect(episode.look(undefined, 5_000)).toBeUndefined()
  expect(episode.look('lost', 14_999)).toBeUndefined()
  expect(episode.look(undefined, 15_000)).toBeUndefined()
  expect(episode.look(undefined, 25_000)).toBe('over')
  expect(episode).toMatchObject({ isOpen: false, times: 2, wellSinceMs: 15_000 })
  expect(episode.look(undefined, 26_000)).toBeUndefined()
})

test('whatever comes and goes for however long is told at most so often', () => {
  const spans = fc.array(
    fc.record({ wrongS: fc.integer({ min: 1, max: 30 }), wellS: fc.integer({ min: 1, max: 400 }) }),
    { minLength: 1, maxLength: 60 },
  )
  fc.assert(
    fc.property(spans, (history) => {
      const episode = new Episode<'lost'>(RULES)
      const told: { what: string; atMs: number }[] = []
      let nowMs = 0
      for (const { wrongS, wellS } of history) {
        for (let s = 0; s < wrongS + wellS; s += 1) {
          const what = episode.look(s < wrongS ? 'lost' : undefined, nowMs)
          if (what !== undefined) told.push({ what, atMs: nowMs })
          nowMs += 1_000
        }
      }
      // Each beginning has its end, and no two tell the same in a row.
      for (const [i, { what }] of told.entries()) expect(what).toBe(i % 2 === 0 ? 'new' : 'over')
      // Six episodes may be short: each is twice as calm as the one before, unless ten minutes were.
      const within = (fromMs: number): number =>
        told.filter(({ atMs }) => atMs >= fromMs && atMs < fromMs + 3_600_000).length
      for (const { atMs } of told) expect(within(atMs)).toBeLessThanOrEqual(2 * (6 + 3_600 / 320))
    }),
    { numRuns: 200 },
  )
})

test('after ten calm minutes an episode is as short as the first one', () => {
  const episode = new Episode<'lost'>(RULES)
  const lasts = (fromMs: number): number => {
    episode.look('lost', fromMs)
    let nowMs = fromMs
    while (episode.look(undefined, nowMs) !== 'over') nowMs += 1_000
    return nowMs - fromMs
  }
  expect(lasts(0)).toBe(10_000)
  expect(lasts(20_000)).toBe(20_000)
  expect(lasts(50_000)).toBe(40_000)
  expect(lasts(90_000 + 600_000)).toBe(10_000)
})
