import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { Publisher } from '../../src/publish/publisher.ts'
import type { SourcesSettings } from '../../src/sources/sources.ts'
import type { LiveSettings, LiveStream } from '../../src/streams/live-stream.ts'
import { ALONE } from '../../src/streams/ownership.ts'
import type { Segment } from '../../src/timeline/fragment.ts'
import { segmentsOf } from '../../src/timeline/segment-block.ts'
import { ManualClock } from '../support/manual-clock.ts'
import { ScriptedCamera } from '../support/scripted-camera.ts'
import {
  JournalsInMemory,
  openScriptedParts,
  pass,
  type ScriptedStreamOptions,
  scriptedParts,
  TimelinesInMemory,
} from '../support/scripted-stream.ts'

/** What becomes of a stream that is changed while it runs. Everything is real but the sessions upstream. */
let clock: ManualClock
let camera: ScriptedCamera
let other: ScriptedCamera
let stream: LiveStream
let publisher: Publisher
let settings: LiveSettings
let sourcesSettings: SourcesSettings

beforeEach(async () => {
  clock = new ManualClock()
  camera = new ScriptedCamera(clock)
  other = new ScriptedCamera(clock)
  camera.on()
  await pass(clock, 733)
  other.on()
  await pass(clock, 30_000)
})
afterEach(() => stream.close())

async function start(options: Partial<ScriptedStreamOptions> = {}): Promise<void> {
  const opened = await openScriptedParts({ clock, camera, activation: 'always', ...options })
  ;({ stream, publisher, settings, sourcesSettings } = opened)
  stream.start()
  await pass(clock, 20_000)
}

const tail = (): readonly Segment[] => stream.view.live?.tail ?? []

/** Lets time pass, and gives all that was listed meanwhile, each once. */
async function listedWithin(ms: number): Promise<readonly Segment[]> {
  const seen = new Map<number, Segment>()
  for (let passed = 0; passed < ms; passed += 500) {
    for (const segment of tail()) seen.set(segment.msn, segment)
    await pass(clock, 500)
  }
  return [...seen.values()].toSorted((a, b) => a.msn - b.msn)
}

const breaks = (segments: readonly Segment[]): readonly unknown[] =>
  segments.slice(1).flatMap(({ discontinuity }) => discontinuity ?? [])

function expectConsecutive(segments: readonly Segment[]): void {
  expect(segments.map(({ msn }) => msn)).toEqual(
    segments.map((_, i) => (segments[0]?.msn ?? 0) + i),
  )
}

describe('G1, G4: another camera', () => {
  test('goes on with the next number behind one discontinuity, and misses nothing', async () => {
    await start()
    const before = tail()
    stream.sources.replaceCamera(scriptedParts(other, clock, 'other'))
    const all = [...before, ...(await listedWithin(30_000))]
    const segments = [...new Map(all.map((segment) => [segment.msn, segment])).values()]
    expectConsecutive(segments)
    expect(breaks(segments)).toEqual(['source'])
    for (const [i, { startMs }] of segments.entries()) {
      expect(startMs).toBeGreaterThanOrEqual(segments[i - 1]?.startMs ?? 0)
    }
    const own = segments.filter(({ number }) => other.numbers.includes(number))
    expect(own.at(-1)).toBe(segments.at(-1))
    // The newest of the old one was two to four seconds old, so the new one covers that time.
    const seam = segments.findIndex(({ discontinuity }) => discontinuity === 'source')
    const [last, first] = [segments[seam - 1], segments[seam]]
    const holeMs = (first?.startMs ?? 0) - (last?.startMs ?? 0) - (last?.durationMs ?? 0)
    expect(holeMs).toBeGreaterThanOrEqual(-50)
    expect(holeMs).toBeLessThan(2_500)
    expect(stream.view.state).toBe('live')
  })

  test('leaves no session of the one before', async () => {
    await start()
    stream.sources.replaceCamera(scriptedParts(other, clock, 'other'))
    await pass(clock, 5_000)
    expect(stream.sources.openSessions).toBe(1)
    expect(camera.openSessions).toBe(0)
    expect(other.openSessions).toBe(1)
    const { opened } = camera
    await pass(clock, 60_000)
    expect(camera.opened).toBe(opened)
  })

  test('that is the same by another way goes on without a seam', async () => {
    await start()
    stream.sources.replaceCamera(scriptedParts(camera, clock, 'camera'))
    const segments = await listedWithin(30_000)
    expectConsecutive(segments)
    expect(breaks(segments)).toEqual([])
    expect(camera.openSessions).toBe(1)
  })

  test('and back again is two discontinuities', async () => {
    await start()
    stream.sources.replaceCamera(scriptedParts(other, clock, 'other'))
    const first = await listedWithin(10_000)
    stream.sources.replaceCamera(scriptedParts(camera, clock, 'camera'))
    const second = await listedWithin(20_000)
    const all = new Map([...first, ...second].map((segment) => [segment.msn, segment]))
    expectConsecutive([...all.values()])
    expect(breaks([...all.values()])).toEqual(['source', 'source'])
  })

  test('while the stream is idle is what the next viewer sees', async () => {
    await start()
    await stream.stop()
    stream.sources.replaceCamera(scriptedParts(other, clock, 'other'))
    const before = publisher.shown?.tail.at(-1)?.msn ?? 0
    stream.start()
    await pass(clock, 8_000)
    const added = tail().filter(({ msn }) => msn > before)
    expect(added[0]?.discontinuity).toBe('source')
    expect(breaks(added)).toEqual([])
    expect(other.openSessions).toBe(1)
  })

  test('is noticed at a restart, too', async () => {
    const saved = { timelines: new TimelinesInMemory(), journals: new JournalsInMemory() }
    await start(saved)
    const before = tail().at(-1)?.msn ?? 0
    await stream.close()
    ;({ stream, publisher } = await openScriptedParts({ clock, camera: other, ...saved }))
    stream.sources.replaceCamera(scriptedParts(other, clock, 'other'))
    stream.start()
    await pass(clock, 8_000)
    const added = tail().filter(({ msn }) => msn > before)
    expect(added[0]).toMatchObject({ msn: before + 1, discontinuity: 'source' })
    expect(breaks(added)).toEqual([])
  })
})

test('one that is retired has no list from that moment on, and runs no more until it is reinstated', async () => {
  await start()
  const retired = stream.retire()
  expect(stream.view.live).toBeUndefined()
  await retired
  expect(camera.openSessions).toBe(0)
  stream.start()
  await expect(stream.ready(new AbortController().signal)).rejects.toThrow('No stream of that name')
  expect(stream.view.state).toBe('idle')
  const { msn = 0 } = publisher.shown?.tail.at(-1) ?? {}
  stream.reinstate(ALONE)
  stream.start()
  await pass(clock, 8_000)
  expect(tail().map((segment) => segment.msn)).toContain(msn + 1)
})

describe('a backup', () => {
  test('that comes takes over when the camera is lost', async () => {
    await start()
    stream.sources.replaceBackup(scriptedParts(other, clock, 'backup'))
    expect(other.opened).toBe(0)
    expect(breaks(await listedWithin(10_000))).toEqual([])
    camera.off()
    await pass(clock, 20_000)
    expect(stream.view).toMatchObject({ state: 'live', source: 'backup' })
  })

  test('that goes while it is shown leaves the camera, also where an operator had ordered it', async () => {
    await start({ backup: other })
    stream.sources.force('backup')
    await pass(clock, 10_000)
    expect(stream.view.source).toBe('backup')
    stream.sources.replaceBackup(undefined)
    await pass(clock, 10_000)
    expect(stream.view).toMatchObject({ state: 'live', source: 'camera' })
    expect(stream.sources.forced).toBeUndefined()
    expect(other.openSessions).toBe(0)
  })
})

describe('another setting', () => {
  test('of the window holds from the next fragment on, and opens no session', async () => {
    await start()
    const { opened } = camera
    await publisher.configure({ window: 12, dvrMs: 0 })
    const longer = await listedWithin(30_000)
    expect(tail()).toHaveLength(12)
    await publisher.configure({ window: 5, dvrMs: 0 })
    const shorter = await listedWithin(10_000)
    expect(tail().length).toBeLessThan(12)
    const all = new Map([...longer, ...shorter].map((segment) => [segment.msn, segment]))
    expectConsecutive([...all.values()])
    expect(breaks([...all.values()])).toEqual([])
    expect(camera.opened).toBe(opened)
  })

  test('of the DVR window begins with what is listed, and ends with what is not', async () => {
    const journals = new JournalsInMemory()
    await start({ journals })
    expect(stream.view.dvr).toBeUndefined()
    await publisher.configure({ window: 5, dvrMs: 600_000 })
    expect(past().map(({ msn }) => msn)).toEqual(
      expect.arrayContaining(tail().map(({ msn }) => msn)),
    )
    await pass(clock, 60_000)
    expect(past().length).toBeGreaterThan(30)
    expect(await journals.load()).not.toEqual([])
    const [old] = past()
    await publisher.configure({ window: 5, dvrMs: 0 })
    expect(stream.view.dvr).toBeUndefined()
    expect(old).toBeDefined()
    expect(publisher.keys().length).toBeLessThan(30)
    expect(breaks(await listedWithin(5_000))).toEqual([])
  })

  test('of signal loss shows a slate that was not wanted before, and none that is not any more', async () => {
    await start()
    camera.off()
    await pass(clock, 20_000)
    expect(stream.view.source).toBe('camera')
    stream.sources.configure({ ...sourcesSettings, showsSlate: true })
    stream.configure({ ...settings, onSignalLoss: 'slate' })
    await pass(clock, 10_000)
    expect(stream.view).toMatchObject({ state: 'slate', source: 'slate' })
    stream.sources.configure({ ...sourcesSettings, showsSlate: false })
    stream.configure({ ...settings, onSignalLoss: 'fail', failAfterMs: 1_000 })
    await pass(clock, 10_000)
    expect(stream.view.live).toBeUndefined()
  })

  test('of activation stops what nobody watches, or keeps it', async () => {
    await start()
    stream.configure({ ...settings, activation: 'on-demand', idleTimeoutMs: 30_000 })
    await pass(clock, 40_000)
    expect(stream.view.state).toBe('idle')
    stream.configure({ ...settings, activation: 'always' })
    stream.start()
    await pass(clock, 600_000)
    expect(stream.view.state).toBe('live')
  })
})

function past(): readonly { readonly msn: number }[] {
  const list = stream.view.dvr?.at(-1)
  return list === undefined
    ? []
    : [...list.blocks.flatMap((block) => segmentsOf(block)), ...list.tail]
}
