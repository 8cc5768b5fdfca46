import { beforeEach, describe, expect, test } from 'vitest'
import { GatewayError } from '../../src/base/errors.ts'
import { silentLog } from '../../src/base/log.ts'
import { readMedia } from '../../src/formats/mp4/media.ts'
import type { FetchedFragment, Lack } from '../../src/ingest/fetch-fragment.ts'
import { GatewayCounters } from '../../src/metrics/gateway-counters.ts'
import { Publisher } from '../../src/publish/publisher.ts'
import { FencedError } from '../../src/store/fenced-error.ts'
import { FragmentCache } from '../../src/store/fragment-cache.ts'
import { MemoryStore } from '../../src/store/memory-store.ts'
import { fragmentNumber } from '../support/camera.ts'
import { literalFragment, literalInit } from '../support/literal-fragment.ts'
import { ManualClock } from '../support/manual-clock.ts'
import { JournalsInMemory, settle, TimelinesInMemory } from '../support/scripted-stream.ts'

/** What becomes of verified fragments: placed, stored, saved, shown. Without a source, a socket or a disk. */
const FRAGMENT_MS = 2_000
const INIT = literalInit('avc')
const never = new AbortController().signal

let clock: ManualClock
let timelines: TimelinesInMemory
let journals: JournalsInMemory
let counters: GatewayCounters
let publisher: Publisher

beforeEach(async () => {
  clock = new ManualClock()
  timelines = new TimelinesInMemory()
  journals = new JournalsInMemory()
  counters = new GatewayCounters()
  publisher = await open()
})

function open(maxBytes = 2 ** 20, dvrMs = 0): Promise<Publisher> {
  const memory = new MemoryStore({ clock, maxBytes })
  const cells = { hits: { value: 0 }, misses: { value: 0 }, coalesced: { value: 0 } }
  const cache = new FragmentCache({ clock, store: memory, tiers: [], ...cells })
  return Publisher.open({
    stream: 'lobby',
    clock,
    log: silentLog,
    counters,
    timeline: { window: 5, targetDurationFloorS: () => 2 },
    dvrMs,
    stores: { memory, cache, timelines, journals },
    refetch: () => {
      throw new GatewayError('segment_gone', 'nothing is fetched again here')
    },
  })
}

interface Wish {
  /** Its place in the camera's life. */
  readonly index: number
  readonly sampleBytes?: number
  readonly startMs?: number
  readonly lacks?: Lack
}

/** A fragment of the camera as ingest hands it on, its clock begun anew with each session. */
function fragment({ index, sampleBytes = 10, startMs, lacks }: Wish): FetchedFragment {
  const dateMs = startMs ?? clock.now() + index * FRAGMENT_MS
  const durationTicks = INIT.init.timescale / 2
  const samples = Array.from({ length: 4 }, (_, i) => {
    return { durationTicks, bytes: sampleBytes, isSync: i === 0, compositionTicks: 0 }
  })
  const bytes = literalFragment(INIT, index * 4 * durationTicks, samples)
  const { startsWithSync: _, ...facts } = readMedia(bytes, INIT.init)
  const track = { rendition: 'video', initBytes: INIT.initBytes, bytes } as const
  return {
    listed: {
      number: fragmentNumber(index, dateMs + FRAGMENT_MS),
      startMs: dateMs,
      durationS: FRAGMENT_MS / 1_000,
      discontinuity: undefined,
    },
    timeBase: 1,
    receivedMs: dateMs + FRAGMENT_MS,
    lacks,
    tracks: [{ ...track, facts: { init: INIT.init, ...facts, bytes: bytes.length } }],
  }
}

const shows = (): boolean => true
const publish = (...indices: readonly number[]): Promise<readonly unknown[]> =>
  publisher.publish(
    'camera',
    indices.map((index) => fragment({ index })),
    shows,
  )
const msns = (): readonly number[] => publisher.shown?.tail.map(({ msn }) => msn) ?? []

function bytesOf(msn: number): Buffer {
  const track = publisher.shown?.tail.find((segment) => segment.msn === msn)?.tracks.video
  const { bytes, arrived } = publisher.fragment('video', msn, track?.id ?? '', never)
  return bytes.subarray(0, arrived)
}

describe('what is shown', () => {
  test('G6: can be fetched, with the placed times in its bytes', async () => {
    await publish(1, 2, 3)
    for (const { msn, tracks } of publisher.shown?.tail ?? []) {
      const { baseTicks } = readMedia(bytesOf(msn), INIT.init)
      expect(baseTicks).toBe(tracks.video?.baseTicks)
    }
    expect(msns()).toHaveLength(3)
  })

  test('G1: was saved before; while that takes its time the old list stays', async () => {
    await publish(1)
    const before = publisher.shown
    const disk = Promise.withResolvers<void>()
    timelines.beforeSave = () => disk.promise
    const publishing = publish(2)
    await settle()
    expect(publisher.shown).toBe(before)
    expect(timelines.saved.get('lobby')).toContain(`"nextMsn":${(msns()[0] ?? 0) + 1}`)
    disk.resolve()
    await publishing
    expect(msns()).toHaveLength(2)
  })

  test('is frozen, another value with each publication, and tells who waits', async () => {
    const told = publisher.changed(never)
    await publish(1)
    await told
    const first = publisher.shown
    await publish(2)
    expect(Object.isFrozen(first)).toBe(true)
    expect(publisher.shown).not.toBe(first)
    expect(first?.tail).toHaveLength(1)
  })

  test('G1: goes on in another process with the next number, without a seam', async () => {
    await publish(1, 2, 3)
    const last = msns().at(-1) ?? 0
    publisher = await open()
    expect(msns().at(-1)).toBe(last)
    await publish(4)
    expect(publisher.shown?.tail.at(-1)).toMatchObject({ msn: last + 1, discontinuity: undefined })
  })
})

describe('G4: fragments', () => {
  test('that come again, or late, are not listed again', async () => {
    await publish(1, 2, 3)
    const before = msns()
    await publish(2)
    await publish(3)
    expect(msns()).toEqual(before)
  })

  test('with the same date are one: the greatest number is listed', async () => {
    const date = clock.now() + FRAGMENT_MS
    const twins = [7, 8].map((index) => fragment({ index, startMs: date }))
    await publisher.publish('camera', twins, shows)
    const numbers = publisher.shown?.tail.map(({ number }) => number)
    expect(numbers).toEqual([twins[1]?.listed.number])
  })

  test('that are missing leave a discontinuity, counted once', async () => {
    await publish(1, 2)
    await publish(5)
    expect(publisher.shown?.tail.at(-1)?.discontinuity).toBe('gap')
    expect(counters.discontinuities.total({ stream: 'lobby', cause: 'gap' })).toBe(1)
  })

  test('of a source that is not shown when it is their turn are noted, not listed', async () => {
    await publish(1)
    await publisher.publish('backup', [fragment({ index: 2 })], () => false)
    expect(msns()).toHaveLength(1)
    expect(publisher.newest('backup')?.number).toBe(fragment({ index: 2 }).listed.number)
    publisher.forget('backup')
    expect(publisher.newest('backup')).toBeUndefined()
  })
})

describe('trouble', () => {
  test('no room costs the fragment, which is named; the next one follows behind a gap', async () => {
    publisher = await open(2_000)
    await publish(1)
    const big = fragment({ index: 2, sampleBytes: 10_000 })
    const skipped = await publisher.publish('camera', [big], shows)
    expect(skipped).toMatchObject([{ number: big.listed.number, error: { code: 'overloaded' } }])
    await publish(3)
    expect(publisher.shown?.tail.map(({ discontinuity }) => discontinuity)).toEqual([
      undefined,
      'gap',
    ])
  })

  test('room that was kept for a fragment is given back when it is stored', async () => {
    let kept = true
    const release = (): void => {
      kept = false
    }
    await publisher.publish('camera', [{ ...fragment({ index: 1 }), release }], shows)
    expect(kept).toBe(false)
  })

  test('a fragment that lacks something is listed, and counted', async () => {
    await publisher.publish(
      'camera',
      [
        fragment({
          index: 1,
          lacks: { what: 'sound in AC-3', code: 'upstream_unsupported_media' },
        }),
      ],
      shows,
    )
    expect(msns()).toHaveLength(1)
    expect(counters.incompleteFragments.total({ stream: 'lobby' })).toBe(1)
  })

  test('what is asked for too early, or is gone, is told apart', async () => {
    await publish(1)
    const [msn = 0] = msns()
    const code = (asked: number): unknown => {
      try {
        publisher.fragment('video', asked, 'x', never)
        return undefined
      } catch (error) {
        return error instanceof GatewayError ? error.code : error
      }
    }
    expect(code(msn + 1)).toBe('segment_not_ready')
    expect(code(msn)).toBe('segment_gone')
    expect(code(msn - 1)).toBe('segment_gone')
  })
})

describe('G1: what another node owns by now', () => {
  const refuse = (): Promise<never> => Promise.reject(new FencedError('lobby'))
  const allow = (): Promise<void> => Promise.resolve()

  test('is not shown, and nothing of it is left', async () => {
    await publish(1, 2)
    const { shown } = publisher
    const newest = publisher.newest('camera')
    timelines.beforeSave = refuse
    await expect(publish(3, 6)).rejects.toThrow(FencedError)
    expect(publisher.shown).toBe(shown)
    expect(publisher.latest).toBe(shown?.tail.at(-1))
    expect(publisher.newest('camera')).toEqual(newest)
    expect(() => publisher.fragment('video', (msns().at(-1) ?? 0) + 1, 'x', never)).toThrow(
      'not been published',
    )
    expect(counters.discontinuities.total({ stream: 'lobby', cause: 'gap' })).toBe(0)

    timelines.beforeSave = allow
    const last = msns().at(-1) ?? 0
    await publish(3)
    expect(publisher.shown?.tail.at(-1)).toMatchObject({ msn: last + 1, discontinuity: undefined })
  })

  test('is no end either', async () => {
    await publish(1)
    timelines.beforeSave = refuse
    await expect(publisher.end()).rejects.toThrow(FencedError)
    expect(publisher.shown?.ended).toBe(false)
    await publisher.end().catch(() => {})
    timelines.beforeSave = allow
    await publisher.end()
    expect(publisher.shown?.ended).toBe(true)
  })

  test('is not shown where only the journal says so; its pages are whole afterwards', async () => {
    publisher = await open(2 ** 20, 600_000)
    journals.beforeAppend = refuse
    await expect(publish(1)).rejects.toThrow(FencedError)
    expect(publisher.shown).toBeUndefined()
    expect(publisher.dvr?.lists()).toEqual([])

    journals.beforeAppend = allow
    await publish(1, 2)
    const edition = publisher.dvr?.lists().at(-1)?.edition
    publisher = await open(2 ** 20, 600_000)
    expect(publisher.dvr?.lists().at(-1)?.edition).toBe(edition)
    expect(publisher.dvr?.size().segments).toBe(2)
  })
})

describe('an end and a pause', () => {
  test('the list says that it has ended, until something comes all the same', async () => {
    await publish(1)
    await publisher.end()
    expect(publisher.shown?.ended).toBe(true)
    await publish(2)
    expect(publisher.shown?.ended).toBe(false)
  })

  test('after a minute without viewers the list begins again, behind what it held', async () => {
    await publish(1, 2)
    const next = (msns().at(-1) ?? 0) + 1
    clock.advance(120_000)
    publisher.resume()
    expect(msns()).toEqual([])
    await publish(60)
    expect(publisher.shown?.tail).toMatchObject([{ msn: next, discontinuity: 'gap' }])
  })

  test('after a short one it goes on', async () => {
    await publish(1, 2)
    clock.advance(30_000)
    publisher.resume()
    expect(msns()).toHaveLength(2)
  })
})
