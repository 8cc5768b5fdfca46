import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { silentLog } from '../../src/base/log.ts'
import { isContentId } from '../../src/store/content-id.ts'
import type { FragmentBody } from '../../src/store/fragment-body.ts'
import type { LiveStream } from '../../src/streams/live-stream.ts'
import type { Segment } from '../../src/timeline/fragment.ts'
import { ManualClock } from '../support/manual-clock.ts'
import { ScriptedCamera } from '../support/scripted-camera.ts'
import {
  JournalsInMemory,
  openScripted,
  pass,
  type ScriptedStreamOptions,
  settle,
  TimelinesInMemory,
} from '../support/scripted-stream.ts'

/** What a stream saves, what a later process makes of it, and what it finds of its past. */
let clock: ManualClock
let camera: ScriptedCamera
let timelines: TimelinesInMemory
let journals: JournalsInMemory
let stream: LiveStream

const HOUR_MS = 3_600_000
const never = new AbortController().signal

beforeEach(async () => {
  clock = new ManualClock()
  camera = new ScriptedCamera(clock)
  timelines = new TimelinesInMemory()
  journals = new JournalsInMemory()
  camera.on()
  await pass(clock, 30_000)
})
afterEach(() => stream.close())

async function start(options: Partial<ScriptedStreamOptions> = {}, ms = 20_000): Promise<void> {
  const saved = { timelines, journals, activation: 'always' } as const
  stream = await openScripted({ clock, camera, ...saved, ...options })
  stream.start()
  await pass(clock, ms)
}

const tail = (): readonly Segment[] => stream.view.live?.tail ?? []

async function whole(body: FragmentBody): Promise<void> {
  await body.more(body.size - 1, never)
}

const dvrNumbers = (): readonly bigint[] => {
  const list = stream.view.dvr?.at(-1)
  if (list === undefined) return []
  return [...list.blocks.flatMap((block) => block.numbers), ...list.tail.map((each) => each.number)]
}

describe('a restart', () => {
  test('G1: goes on with numbers and list, without a seam when it was quick', async () => {
    await start()
    const before = tail()
    await stream.close()
    await start({}, 3_000)
    const [first] = tail()
    expect(before).toContainEqual(first)
    expect(tail().map(({ msn }) => msn)).toEqual(tail().map((_, i) => (first?.msn ?? 0) + i))
    expect(tail().filter(({ discontinuity }) => discontinuity !== undefined)).toEqual([])
  })

  test('G1: what was not saved was not shown, however long the disk takes', async () => {
    const disk = Promise.withResolvers<void>()
    await start()
    timelines.beforeSave = () => disk.promise
    const newest = tail().at(-1)?.msn ?? 0
    await pass(clock, 3_000)
    expect(tail().at(-1)?.msn).toBe(newest)
    disk.resolve()
    await settle()
    const shown = tail().at(-1)?.msn ?? 0
    expect(shown).toBeGreaterThan(newest)
    const saved = JSON.parse(timelines.saved.get('lobby') ?? '{}') as {
      timeline: { nextMsn: number }
    }
    expect(saved.timeline.nextMsn).toBe(shown + 1)
  })

  test('a disk that hangs stops viewers for five seconds, once', async () => {
    await start()
    const disk = Promise.withResolvers<void>()
    timelines.beforeSave = () => disk.promise
    const newest = tail().at(-1)?.msn ?? 0
    await pass(clock, 10_000)
    expect(tail().at(-1)?.msn).toBeGreaterThan(newest)
    const then = tail().at(-1)?.msn ?? 0
    await pass(clock, 20_000)
    expect(tail().at(-1)?.msn).toBeGreaterThanOrEqual(then + 9)
    disk.resolve()
  })

  test.each<[string, (text: string) => string]>([
    ['of another program', () => '{"version":7}'],
    ['of a later format', (text) => text.replace('"format":1', '"format":99')],
    [
      'of a timeline of a later format',
      (text) => text.replace(/"timeline":.*/, '"timeline":{"format":7}}'),
    ],
    ['without its init segments', (text) => text.replace(/"inits":\[.*?\]/, '"inits":[]')],
    ['of another stream', (text) => text.replace('"stream":"lobby"', '"stream":"yard"')],
    ['whose sequence numbers have holes', (text) => text.replace(/"msn":(\d)/, '"msn":1$1')],
  ])(
    'G1: with a saved timeline %s begins above all that was shown, and says so',
    async (_, damage) => {
      await start()
      const newest = tail().at(-1)?.msn ?? 0
      await stream.close()
      const text = timelines.saved.get('lobby') ?? ''
      expect(damage(text)).not.toBe(text)
      timelines.saved.set('lobby', damage(text))
      const errors: string[] = []
      await pass(clock, 10_000)
      await start({ log: { ...silentLog, error: (event) => void errors.push(event) } })
      expect(tail()[0]?.msn).toBeGreaterThan(newest)
      expect(errors).toEqual(['saved timeline is unusable, a new one begins'])
    },
  )

  test('G6: what is listed can be fetched again, byte for byte, once it has left memory', async () => {
    await start()
    const [listed] = tail()
    const track = listed?.tracks.video
    if (listed === undefined || track === undefined) throw new Error('nothing is listed')
    await stream.close()
    await start({}, 1_000)
    const body = await stream.fragment('video', listed.msn, track.id, never)
    await whole(body)
    expect(isContentId(track.id, body.bytes)).toBe(true)
  })
})

describe('the past of the DVR list', () => {
  test('G4: fragments that come late fill their hole in a new edition, and not the live list', async () => {
    await start({ dvrMs: HOUR_MS })
    const old = stream.view.dvr?.at(-1)?.edition
    camera.late(true)
    await pass(clock, 6_000)
    camera.late(false)
    await pass(clock, 10_000)
    const live = tail().map(({ number }) => number)
    await pass(clock, 60_000)
    const numbers = dvrNumbers()
    expect(stream.view.dvr?.at(-1)?.edition).toBeGreaterThan(old ?? 0)
    expect(numbers).toEqual(camera.numbers.slice(camera.numbers.indexOf(numbers[0] ?? 0n), -1))
    expect(stream.view.dvr?.map(({ edition }) => edition)).toContain(old)
    expect(live).not.toEqual(camera.numbers.slice(-live.length))
  })

  test('G1: goes on after a restart, in the same edition and with the same numbers', async () => {
    await start({ dvrMs: HOUR_MS }, 60_000)
    const before = stream.view.dvr?.at(-1)
    const numbers = dvrNumbers()
    await stream.close()
    await start({ dvrMs: HOUR_MS }, 5_000)
    expect(stream.view.dvr?.at(-1)?.edition).toBe(before?.edition)
    expect(stream.view.dvr?.at(-1)?.mediaSequence).toBe(before?.mediaSequence)
    expect(dvrNumbers().slice(0, numbers.length)).toEqual(numbers)
  })
})

test('a stream that is discarded holds nothing, and a later one goes on above its numbers', async () => {
  let discarded = 0
  await start({ discarded: () => (discarded += 1) })
  const newest = tail().at(-1)
  await stream.close()
  stream.discard()
  expect(discarded).toBe(1)
  await pass(clock, 300_000)
  await start()
  expect(tail()[0]?.msn).toBeGreaterThan(newest?.msn ?? 0)
})
