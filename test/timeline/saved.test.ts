import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { Timeline } from '../../src/timeline/timeline.ts'
import { accept, Camera } from '../support/camera.ts'

const OPTIONS = { window: 3, targetDurationFloorS: () => 2 }

function saved(count: number): unknown {
  const timeline = Timeline.begin(OPTIONS)
  const camera = new Camera()
  for (let i = 0; i < count; i++) accept(timeline, camera.next())
  return JSON.parse(JSON.stringify(timeline.save()))
}

test('G1: a restored timeline goes on as if nothing had happened', () => {
  const [one, other] = [new Camera(), new Camera()]
  const kept = Timeline.begin(OPTIONS)
  let restored = Timeline.begin(OPTIONS)
  for (let i = 0; i < 20; i++) {
    restored = Timeline.restore(JSON.parse(JSON.stringify(restored.save())), OPTIONS)
    accept(kept, one.next())
    accept(restored, other.next())
    expect(restored.snapshot()).toEqual(kept.snapshot())
    expect(restored.retired()).toEqual(kept.retired())
  }
})

test('its size is bounded by the window, not by its age', () => {
  const size = (count: number): number => JSON.stringify(saved(count)).length
  expect(size(2000)).toBeLessThan(size(400) * 1.05)
})

describe('what cannot be restored says why', () => {
  const good = (): Record<string, unknown> => saved(5) as Record<string, unknown>
  test.each<[string, unknown, RegExp]>([
    ['nothing', undefined, /cannot restore the timeline/],
    ['text', 'garbage', /cannot restore the timeline/],
    ['a future format', { ...good(), format: 2 }, /expected format 1/],
    ['a missing number', { ...good(), dsn: null }, /dsn/],
    ['a number given twice', { ...good(), nextMsn: 7 }, /holes/],
    ['a number that is none', { ...good(), recent: [{ number: '-1', startMs: 1 }] }, /recent/],
  ])('%s', (_, value, message) => {
    expect(() => Timeline.restore(value, OPTIONS)).toThrow(message)
  })
})

test('whatever is restored, it is a timeline or an Error in words', () => {
  fc.assert(
    fc.property(
      fc.jsonValue(),
      fc.constantFrom('window', 'cursor', 'recent', 'dsn'),
      (value, key) => {
        for (const candidate of [value, { ...(saved(2) as object), [key]: value }]) {
          try {
            Timeline.restore(candidate, OPTIONS).snapshot()
          } catch (error) {
            expect(String(error)).toMatch(/cannot restore the timeline/)
          }
        }
      },
    ),
  )
})
