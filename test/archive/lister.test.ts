import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { WindowBounds } from '../../src/archive/recording-window.ts'
import { placeRecorded } from '../../src/timeline/archive/place.ts'
import type { RecordedSegment } from '../../src/timeline/fragment.ts'
import { ManualClock } from '../support/manual-clock.ts'
import { recorded, recordingOf, ScriptedPast, START_MS, type Stored } from './scripted-past.ts'

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
  const past = new ScriptedPast(stored)
  const lister = recordingOf(past, { mostResults }).lister(START_MS, 'dates')
  const entries: RecordedSegment[] = []
  for (;;) {
    const found = await lister.next(untilMs, never)
    if (found === undefined) {
      return { numbers: entries.map(({ number }) => number), windows: past.windows }
    }
    for (const next of found.fragments) {
      const entry = placeRecorded(entries.at(-1), next, 'dates')
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

/** A past of which KVS forgets some when a session is opened. */
class Forgetful extends ScriptedPast {
  readonly #forget: (stored: readonly Stored[]) => readonly Stored[]

  constructor(stored: readonly Stored[], forget: (stored: readonly Stored[]) => readonly Stored[]) {
    super(stored)
    this.#forget = forget
  }

  override open(...args: Parameters<ScriptedPast['open']>): ReturnType<ScriptedPast['open']> {
    const session = super.open(...args)
    const left = this.#forget(this.stored)
    for (const one of this.stored) if (!left.includes(one)) this.forgotten.add(one.number)
    this.stored = left
    return session
  }
}

test('what KVS forgets while it is listed is listed without', async () => {
  const stored = recorded(20)
  // Between its list and its first fragment time passes.
  const past = new Forgetful(stored, (left) => left.slice(left.length > 18 ? 1 : 0))
  const lister = recordingOf(past).lister(START_MS - 1000, 'dates')
  const found = await lister.next(START_MS + DAY_MS, never)
  expect(found?.fragments.map(({ number }) => number)).toEqual(
    stored.slice(2).map(({ number }) => number),
  )
})

test('the edge of what KVS keeps is met, however long a look takes', async () => {
  const clock = new ManualClock(START_MS + DAY_MS)
  const past = new Forgetful(recorded(60), (left) => {
    clock.advance(4_000)
    return left.filter(({ dateMs }) => dateMs >= clock.now() - DAY_MS)
  })
  const lister = recordingOf(past, { clock }).lister(START_MS - 60_000, 'dates')
  const found = await lister.next(START_MS + DAY_MS, never)
  const first = found?.fragments[0]?.dateMs ?? 0
  expect(first).toBeGreaterThanOrEqual(clock.now() - DAY_MS)
  expect(first).toBeLessThan(clock.now() - DAY_MS + 5_000)
})
