import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { GatewayError } from '../../src/base/errors.ts'
import type { EventBus } from '../../src/events/event-bus.ts'
import type { LiveStream } from '../../src/streams/live-stream.ts'
import { StreamEvents, type StreamSigns } from '../../src/streams/stream-events.ts'
import { silentEvents, told } from '../support/events.ts'
import { ManualClock } from '../support/manual-clock.ts'
import { ScriptedCamera } from '../support/scripted-camera.ts'
import { openScripted, pass, type ScriptedStreamOptions } from '../support/scripted-stream.ts'

/** What is told of a stream's life, with everything real but the sessions upstream. */
let clock: ManualClock
let camera: ScriptedCamera
let stream: LiveStream
let events: EventBus

beforeEach(() => {
  clock = new ManualClock()
  camera = new ScriptedCamera(clock)
  events = silentEvents(clock)
  camera.on()
})
afterEach(() => stream.close())

async function start(options: Partial<ScriptedStreamOptions> = {}): Promise<void> {
  await pass(clock, 30_000)
  stream = await openScripted({ clock, camera, events, activation: 'always', ...options })
  stream.start()
  await pass(clock, 10_000)
}

/** What was told since the last time that somebody asked. */
let seen = 0
beforeEach(() => {
  seen = 0
})
function news(): readonly (readonly unknown[])[] {
  const fresh = events.recent().slice(seen)
  seen += fresh.length
  return fresh.map(told)
}
const iso = (ms: number): string => new Date(ms).toISOString()
const unavailable = () => new GatewayError('upstream_unavailable', 'upstream is away')

describe('a camera that goes away', () => {
  test.each([
    ['hold', 'stale'],
    ['slate', 'slate'],
    ['fail', 'stale'],
  ] as const)('is lost once, and back once it stays (%s)', async (onSignalLoss, state) => {
    await start({ onSignalLoss })
    expect(news()).toEqual([])
    camera.off()
    const lastMs = stream.newestMs ?? 0
    await pass(clock, 10_000)
    const since = iso(stream.newestMs ?? 0)
    expect(stream.newestMs ?? 0).toBeGreaterThanOrEqual(lastMs)
    expect(news()).toEqual([['stream.lost', 'lobby', { state, reason: 'no_media', since }]])
    await pass(clock, 300_000)
    expect(news()).toEqual([])
    camera.on()
    await pass(clock, 11_000)
    expect(stream.view.state).toBe('live')
    expect(news()).toEqual([])
    await pass(clock, 10_000)
    expect(news()).toEqual([['stream.back', 'lobby', { since, goneSeconds: 312, times: 1 }]])
    await pass(clock, 60_000)
    expect(news()).toEqual([])
  })

  test('and comes again every half a minute is not told of each time', async () => {
    await start()
    for (let halves = 0; halves < 40; halves += 1) {
      camera.off()
      await pass(clock, 12_000)
      camera.on()
      await pass(clock, 18_000)
    }
    const told20 = news()
    expect(told20.length).toBeLessThanOrEqual(6)
    await pass(clock, 320_000)
    const [type, , data] = news().at(-1) ?? told20.at(-1) ?? []
    expect(type).toBe('stream.back')
    expect((data as { times: number }).times).toBeGreaterThan(10)
  })

  test('while nobody watches is not missed; one that is away when somebody comes is', async () => {
    await start({ activation: 'on-demand' })
    await pass(clock, 60_000)
    expect(stream.view.state).toBe('idle')
    camera.off()
    await pass(clock, 600_000)
    expect(news()).toEqual([])
    stream.start()
    const startedMs = clock.now()
    await pass(clock, 15_000)
    expect(news()).toEqual([
      ['stream.lost', 'lobby', { state: 'offline', reason: 'no_media', since: iso(startedMs) }],
    ])
    // Nobody watches, somebody does, again and again: it is the same loss.
    for (let i = 0; i < 5; i += 1) {
      await pass(clock, 120_000)
      stream.start()
      await pass(clock, 15_000)
    }
    expect(news()).toEqual([])
    camera.on()
    await pass(clock, 120_000)
    stream.start()
    await pass(clock, 15_000)
    expect(news().map(([type]) => type)).toEqual(['stream.back'])
  })
})

describe('a stream that somebody has to do something about', () => {
  test('has failed, once for each reason, and is back when it plays', async () => {
    await start()
    camera.failure = new GatewayError('upstream_not_authorized', 'no')
    camera.revoke()
    await pass(clock, 60_000)
    const failed = news()
    expect(failed.filter(([type]) => type === 'stream.failed')).toMatchObject([
      ['stream.failed', 'lobby', { code: 'upstream_not_authorized' }],
    ])
    camera.failure = new GatewayError('upstream_no_retention', 'no')
    await pass(clock, 200_000)
    const others = news().filter(([type]) => type === 'stream.failed')
    expect(others).toMatchObject([['stream.failed', 'lobby', { code: 'upstream_no_retention' }]])
    camera.failure = undefined
    await pass(clock, 120_000)
    expect(news().map(([type]) => type)).toEqual(['stream.back'])
  })

  test('G17: by a name that somebody made up says nothing', async () => {
    camera.failure = new GatewayError('upstream_stream_not_found', 'no such stream')
    await start({ isByPattern: true })
    await pass(clock, 300_000)
    expect(stream.view.state).toBe('failed')
    expect(news()).toEqual([])
  })

  test('by a name that is configured is told', async () => {
    camera.failure = new GatewayError('upstream_stream_not_found', 'no such stream')
    await start()
    expect(news()).toMatchObject([
      ['stream.failed', 'lobby', { code: 'upstream_stream_not_found' }],
    ])
  })
})

describe('sessions', () => {
  test('that cannot be renewed are told of while the stream still plays', async () => {
    await start()
    camera.failure = unavailable()
    stream.sources.active.keeper.requestRollover()
    await pass(clock, 8_000)
    expect(news()).toEqual([])
    await pass(clock, 60_000)
    expect(stream.view.state).toBe('live')
    expect(news()).toMatchObject([
      [
        'session.failed',
        'lobby',
        { source: 'camera', code: 'upstream_unavailable', sessionOpen: true },
      ],
    ])
    await pass(clock, 600_000)
    expect(news()).toEqual([])
  })

  test('that fail once or twice are daily business', async () => {
    await start()
    camera.failure = unavailable()
    camera.revoke()
    await pass(clock, 1_000)
    camera.failure = undefined
    await pass(clock, 60_000)
    expect(news()).toEqual([])
  })

  test('that a silent camera ends one after the other are not told of', async () => {
    await start()
    camera.off()
    await pass(clock, 600_000)
    expect(news().map(([type]) => type)).toEqual(['stream.lost'])
  })
})

test('a switch of sources is told with where it goes, and whether it was ordered', async () => {
  const backup = new ScriptedCamera(clock)
  backup.on()
  await start({ backup })
  camera.off()
  await pass(clock, 20_000)
  const switched = (from: string, to: string, forced: boolean) => [
    'source.switched',
    'lobby',
    { from, to, forced, times: 1 },
  ]
  expect(news()).toEqual([switched('camera', 'backup', false)])
  camera.on()
  await pass(clock, 60_000)
  expect(news()).toEqual([switched('backup', 'camera', false)])
  stream.sources.force('backup')
  await pass(clock, 60_000)
  expect(news()).toEqual([switched('camera', 'backup', true)])
})

test('a stream whose backup delivers nothing either is lost', async () => {
  await start({ backup: new ScriptedCamera(clock) })
  camera.off()
  await pass(clock, 30_000)
  expect(news().map(([type]) => type)).toEqual(['stream.lost'])
})

describe('by what a stream shows', () => {
  const alone = { isMine: true }
  const signs = (more: Partial<StreamSigns> = {}): StreamSigns => ({
    state: 'live',
    reason: undefined,
    source: 'camera',
    heardMs: clock.now(),
    ownership: alone,
    sources: { forced: undefined, hasBackup: false, reports: () => [] },
    ...more,
  })
  let told1: StreamEvents
  beforeEach(async () => {
    await start()
    const emit: EventBus['emit'] = (...event) => events.emit(...event)
    told1 = new StreamEvents({ stream: 'yard', clock, emit, isByPattern: false })
  })
  const look = (forS: number, more: () => Partial<StreamSigns>): void => {
    for (let s = 0; s < forS; s += 1) {
      told1.look(signs(more()))
      clock.advance(1_000)
    }
  }
  const using = (metadata: number, media: number) => () => {
    const quota = { usedRatio: (kind: string) => (kind === 'media' ? media : metadata) }
    return {
      sources: {
        forced: undefined,
        hasBackup: false,
        reports: () => [{ source: 'camera' as const, failing: undefined, quota }],
      },
    }
  }

  test('points that become scarce are told once, and again only after a calm minute', () => {
    look(60, using(0.1, 0.79))
    look(4, using(0.1, 1))
    look(1, using(0.1, 0.5))
    expect(news()).toEqual([])
    look(600, using(0.1, 0.904))
    expect(news()).toEqual([['quota.near', 'yard', { kind: 'media', usedRatio: 0.9 }]])
    // Between the two marks it is the same shortage.
    look(300, using(0.1, 0.7))
    look(300, using(0.1, 0.9))
    expect(news()).toEqual([])
    look(70, using(0.1, 0.5))
    look(10, using(0.1, 0.9))
    expect(news()).toHaveLength(1)
  })

  test('only the owner tells, and the next one goes on where it was', () => {
    const followed = { isMine: false }
    look(30, () => ({ state: 'stale', ownership: followed }))
    expect(news()).toEqual([])
    const since = iso(clock.now() - 40_000)
    told1.adopt({ since, kinds: ['lost'] })
    expect(told1.loss).toEqual({ since, kinds: ['lost'] })
    look(30, () => ({ state: 'offline', reason: 'no_media' }))
    expect(news()).toEqual([])
    look(30, () => ({}))
    expect(news()).toEqual([['stream.back', 'yard', { since, goneSeconds: 70, times: 1 }]])
    expect(told1.loss).toBeUndefined()
  })

  test('what the owner has not told any more its successor does', () => {
    look(30, () => ({ state: 'offline', ownership: { isMine: false } }))
    told1.adopt(undefined)
    look(5, () => ({ state: 'offline', reason: 'no_media' }))
    expect(news().map(([type]) => type)).toEqual(['stream.lost'])
  })

  test('sources that change faster than is told are told as how often', () => {
    let s = 0
    look(3_600, () => {
      s += 1
      return { source: s % 6 < 3 ? 'camera' : 'backup' }
    })
    const switches = news()
    expect(switches.length).toBeLessThanOrEqual(18)
    const times = switches.map(([, , data]) => (data as { times: number }).times)
    expect(Math.max(...times)).toBeGreaterThan(90)
  })

  test('one that has failed and then only sends nothing is not lost besides', () => {
    look(5, () => ({ state: 'failed', reason: 'upstream_no_retention' }))
    look(50, () => ({ state: 'offline', reason: 'no_media' }))
    expect(news().map(([type]) => type)).toEqual(['stream.failed'])
  })

  test('a fault of our own is told as one, once', () => {
    told1.crashed()
    told1.crashed()
    expect(news()).toMatchObject([['stream.failed', 'yard', { code: 'internal' }]])
  })
})
