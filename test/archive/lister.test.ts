import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { Lister } from '../../src/archive/lister.ts'
import type { WindowBounds } from '../../src/archive/recording-window.ts'
import { systemClock } from '../../src/base/clock.ts'
import type { ArchiveEntry } from '../../src/timeline/archive/entry.ts'
import { placeEntry } from '../../src/timeline/archive/place.ts'
import { ManualClock } from '../support/manual-clock.ts'
import { type PastSession, START_MS, type Stored, sessionOver } from './past-session.ts'

const DAY_MS = 24 * 3_600_000
const never = new AbortController().signal

interface Listing {
  readonly numbers: readonly bigint[]
  readonly windows: readonly WindowBounds[]
}

async function listAll(
  stored: readonly Stored[],
  untilMs: number,
  mostResults: number,
): Promise<Listing> {
  const windows: WindowBounds[] = []
  const open = async (bounds: WindowBounds): Promise<PastSession> => {
    windows.push(bounds)
    return Promise.resolve(sessionOver(stored, bounds))
  }
  const lister = new Lister(START_MS, { clock: systemClock, open, opened: () => {}, mostResults })
  const entries: ArchiveEntry[] = []
  for (;;) {
    const found = await lister.next(untilMs, never)
    if (found === undefined) return { numbers: entries.map(({ number }) => number), windows }
    for (const next of found.entries) {
      const entry = placeEntry(entries.at(-1), next, 'dates')
      if (entry !== undefined) entries.push(entry)
    }
  }
}

/** Stretches of fragments with one set of tracks each, and pauses in between, some of them for days. */
const recordings = fc
  .array(
    fc.record({
      fragments: fc.integer({ min: 1, max: 30 }),
      tracks: fc.integer({ min: 1, max: 3 }),
      pauseMs: fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 3 * DAY_MS })),
    }),
    { maxLength: 6 },
  )
  .map((stretches) => {
    let dateMs = START_MS
    return stretches.flatMap(({ fragments, tracks, pauseMs }) => {
      dateMs += pauseMs
      return Array.from({ length: fragments }, (): Stored => {
        dateMs += 1000
        return { number: BigInt(dateMs), dateMs, tracks }
      })
    })
  })

describe('however a recording is cut into sessions', () => {
  test('each fragment is listed once, in order, and none that begins too late', async () => {
    await fc.assert(
      fc.asyncProperty(recordings, fc.integer({ min: 2, max: 20 }), fc.nat(40), async (...all) => {
        const [stored, mostResults, late] = all
        const untilMs = (stored.at(-1)?.dateMs ?? START_MS) + 1 - 1000 * late
        const { numbers } = await listAll(stored, untilMs, mostResults)
        const wanted = stored.filter(({ dateMs }) => dateMs < untilMs)
        expect(numbers).toEqual(wanted.map(({ number }) => number))
      }),
    )
  })

  test('no session is asked for more than KVS takes, nor for nothing', async () => {
    await fc.assert(
      fc.asyncProperty(recordings, fc.integer({ min: 2, max: 20 }), async (stored, mostResults) => {
        const untilMs = (stored.at(-1)?.dateMs ?? START_MS) + 1
        const { windows } = await listAll(stored, untilMs, mostResults)
        for (const { startMs, endMs, fragmentResults } of windows) {
          expect(endMs).toBeGreaterThan(startMs)
          expect(endMs - startMs).toBeLessThanOrEqual(DAY_MS)
          expect(fragmentResults).toBeLessThanOrEqual(mostResults)
        }
      }),
    )
  })
})

test('what KVS forgets while it is listed is listed without', async () => {
  const stored = Array.from({ length: 20 }, (_, i) => ({
    number: BigInt(i),
    dateMs: START_MS + 1000 * i,
    tracks: 1,
  }))
  const left = [...stored]
  const open = async (bounds: WindowBounds): Promise<PastSession> => {
    const session = sessionOver(left, bounds)
    // Between its list and its first fragment time passes.
    for (const { number } of left.splice(0, left.length > 18 ? 1 : 0)) session.forgotten.add(number)
    return Promise.resolve(session)
  }
  const options = { clock: systemClock, open, opened: () => {}, mostResults: 100 }
  const found = await new Lister(START_MS - 1000, options).next(START_MS + DAY_MS, never)
  expect(found?.entries.map(({ number }) => number)).toEqual(
    stored.slice(2).map(({ number }) => number),
  )
})

test('the edge of what KVS keeps is met, however long a look takes', async () => {
  const clock = new ManualClock(START_MS + DAY_MS)
  const stored = Array.from({ length: 60 }, (_, i) => ({
    number: BigInt(i),
    dateMs: START_MS + 1000 * i,
    tracks: 1,
  }))
  const open = async (bounds: WindowBounds): Promise<PastSession> => {
    const kept = (): typeof stored => stored.filter(({ dateMs }) => dateMs >= clock.now() - DAY_MS)
    const session = sessionOver(kept(), bounds)
    clock.advance(4_000)
    const left = kept()
    for (const one of stored) if (!left.includes(one)) session.forgotten.add(one.number)
    return session
  }
  const options = { clock, open, opened: () => {}, mostResults: 100 }
  const found = await new Lister(START_MS - 60_000, options).next(START_MS + DAY_MS, never)
  const first = found?.entries[0]?.dateMs ?? 0
  expect(first).toBeGreaterThanOrEqual(clock.now() - DAY_MS)
  expect(first).toBeLessThan(clock.now() - DAY_MS + 5_000)
})
