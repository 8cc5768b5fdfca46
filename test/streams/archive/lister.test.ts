import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { systemClock } from '../../../src/base/clock.ts'
import { GatewayError } from '../../../src/base/errors.ts'
import { Lister } from '../../../src/streams/archive/lister.ts'
import type { PartWindow } from '../../../src/streams/archive/part.ts'
import type { ArchiveEntry } from '../../../src/timeline/archive/entry.ts'
import { placeEntry } from '../../../src/timeline/archive/place.ts'
import { upstreamError } from '../../../src/upstream/errors.ts'
import type { ListedFragment } from '../../../src/upstream/listed-fragment.ts'
import { SecretUrl } from '../../../src/upstream/secret-url.ts'
import { literalFragment, literalInit } from '../../support/literal-fragment.ts'
import { IdleSession } from '../../upstream/support/idle-session.ts'

const START_MS = Date.UTC(2026, 0, 1)
const DAY_MS = 24 * 3_600_000
const never = new AbortController().signal

const media = literalInit('avc')
const sample = { durationTicks: 90_000, bytes: 10, isSync: true, compositionTicks: 0 }
const bytes = literalFragment(media, 0, [sample])
const map = { key: 'map', uri: new SecretUrl(new URL('https://kvs.test/hls/v1/init')) }

/** A fragment of a recording, and which set of tracks it has. */
interface Stored {
  readonly number: bigint
  readonly dateMs: number
  readonly tracks: number
}

/** As KVS: lists the oldest of a window, and gives only what has the tracks of the first. */
class PastSession extends IdleSession {
  readonly #stored: readonly Stored[]

  constructor(stored: readonly Stored[]) {
    super(1, systemClock.now(), 3_600_000)
    this.#stored = stored
  }

  override list(): Promise<never> {
    return Promise.resolve(this.#stored.map(listed)) as Promise<never>
  }

  override init(): Promise<never> {
    return Promise.resolve(media.initBytes) as Promise<never>
  }

  override fragment(...args: readonly unknown[]): Promise<never> {
    const { number } = args[1] as ListedFragment
    const found = this.#stored.find((one) => one.number === number)
    return found?.tracks === this.#stored[0]?.tracks
      ? (Promise.resolve(bytes) as Promise<never>)
      : Promise.reject(upstreamError('upstream_unsupported_media'))
  }
}

function listed({ number, dateMs }: Stored): ListedFragment {
  const uri = new SecretUrl(new URL(`https://kvs.test/hls/v1/fragment?FragmentNumber=${number}`))
  return { number, startMs: dateMs, durationS: 1, discontinuity: false, uri, map }
}

function sessionOver(stored: readonly Stored[], window: PartWindow): PastSession {
  const within = stored.filter(({ dateMs }) => dateMs >= window.startMs && dateMs <= window.endMs)
  if (within.length === 0) throw new GatewayError('no_media', 'nothing')
  return new PastSession(within.slice(0, window.fragmentResults))
}

interface Listing {
  readonly numbers: readonly bigint[]
  readonly windows: readonly PartWindow[]
}

async function listAll(
  stored: readonly Stored[],
  untilMs: number,
  mostResults: number,
): Promise<Listing> {
  const windows: PartWindow[] = []
  const open = async (window: PartWindow): Promise<PastSession> => {
    windows.push(window)
    return Promise.resolve(sessionOver(stored, window))
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
