import fc from 'fast-check'
import { expect, test } from 'vitest'
import { applyFact, factBetween } from '../../src/publish/stream-fact.ts'
import { ManualClock } from '../support/manual-clock.ts'
import { TimelinesInMemory } from '../support/scripted-stream.ts'
import { CameraHistory, event, openPublisher, type StreamEvent } from './history.ts'

/** All that a stream saves while this happens to it. */
async function savedIn(events: readonly StreamEvent[]): Promise<readonly string[]> {
  const clock = new ManualClock()
  const timelines = new TimelinesInMemory()
  const saved: string[] = []
  timelines.saving = (text) => saved.push(text)
  const owner = await openPublisher(clock, { timelines, journals: undefined })
  const camera = new CameraHistory(clock)
  for (const each of events) await camera.happens(each, owner)
  return saved
}

const overTheWire = (value: unknown): unknown => JSON.parse(JSON.stringify(value))

test('G15: whatever happens, a saved stream and the facts that follow it are all that was saved', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(event, { maxLength: 30 }), async (events) => {
      const [first, ...later] = (await savedIn(events)).map((text): unknown => JSON.parse(text))
      let followed = first
      for (const after of later) {
        followed = applyFact(followed, overTheWire(factBetween(followed, after)))
        expect(followed).toEqual(after)
      }
    }),
    { numRuns: 60 },
  )
})

test('G18: a fact of a fragment with sound and picture is below 2 KiB', async () => {
  const saved = await savedIn([{ do: 'publish', times: 300 }])
  const bytes = saved.slice(1).map((after, i) => {
    const fact = factBetween(JSON.parse(saved[i] ?? ''), JSON.parse(after))
    return JSON.stringify(fact).length
  })
  expect(Math.max(...bytes)).toBeLessThan(2_048)
  expect(saved.at(-1)?.length).toBeGreaterThan(10 * Math.max(...bytes))
})

test('a fact that does not go on from what is there is refused', async () => {
  const saved = await savedIn([{ do: 'publish', times: 8 }])
  const [first, second, third] = saved.slice(-3).map((text): unknown => JSON.parse(text))
  const fact = factBetween(second, third)
  expect(() => applyFact(first, fact)).toThrow('a fact that follows version')
  expect(() =>
    applyFact(second, { ...fact, retired: { gone: [], came: [{ msn: 7, retiredMs: 1 }] } }),
  ).toThrow('segment 7 retires, and is not listed')
  for (const other of [undefined, {}, 'fact', { ...fact, recent: 1 }]) {
    expect(() => applyFact(second, other)).toThrow()
  }
})
