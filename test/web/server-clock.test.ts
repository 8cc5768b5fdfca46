import fc from 'fast-check'
import { expect, test } from 'vitest'
import { ServerClock } from '../../src/web/pages/server-clock.js'

test('without an answer the viewer’s clock has to do', () => {
  expect(new ServerClock().at(5)).toBe(5)
})

test('the quickest answer is believed', () => {
  const clock = new ServerClock()
  clock.sample(1000, 3000, 62_500) // two seconds under way: anything from 59.5 to 61.5 s off
  clock.sample(4000, 4010, 64_005) // ten milliseconds: 60 s off
  clock.sample(6000, 7000, 66_900)
  expect(clock.at(8000)).toBe(68_000)
})

test('however long answers take, the error is at most half of the shortest round trip', () => {
  const trip = fc.tuple(fc.nat(3000), fc.nat(3000))
  fc.assert(
    fc.property(fc.integer(), fc.array(trip, { minLength: 1, maxLength: 16 }), (offset, trips) => {
      const clock = new ServerClock()
      for (const [there, back] of trips) clock.sample(0, there + back, there + offset)
      const shortest = Math.min(...trips.map(([there, back]) => there + back))
      expect(Math.abs(clock.at(0) - offset)).toBeLessThanOrEqual(shortest / 2)
    }),
  )
})

test('a clock that was set back is learnt anew, and old samples leave', () => {
  const clock = new ServerClock()
  clock.sample(10_000, 10_000, 10_000)
  clock.sample(9000, 8000, 50_000)
  expect(clock.at(0)).toBe(0)
  clock.sample(0, 0, 0)
  for (let i = 0; i < 16; i += 1) clock.sample(0, 100, 1050)
  expect(clock.at(0)).toBe(1000)
})
