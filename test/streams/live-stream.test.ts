import type { Histogram } from 'prom-client'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { GatewayError } from '../../src/base/errors.ts'
import { GatewayCounters } from '../../src/metrics/gateway-counters.ts'
import type { LiveStream } from '../../src/streams/live-stream.ts'
import type { StreamState } from '../../src/streams/stream.ts'
import { ManualClock } from '../support/manual-clock.ts'
import { ScriptedCamera } from '../support/scripted-camera.ts'
import {
  openScripted,
  pass,
  type ScriptedStreamOptions,
  settle,
} from '../support/scripted-stream.ts'

/** Histories of a stream's life, with everything real but the sessions upstream. */
let clock: ManualClock
let camera: ScriptedCamera
let stream: LiveStream

const never = new AbortController().signal

beforeEach(() => {
  clock = new ManualClock()
  camera = new ScriptedCamera(clock)
  camera.on()
})
afterEach(() => stream.close())

async function open(options: Partial<ScriptedStreamOptions> = {}): Promise<void> {
  await pass(clock, 30_000)
  stream = await openScripted({ clock, camera, ...options })
}

async function start(options: Partial<ScriptedStreamOptions> = {}): Promise<void> {
  await open({ activation: 'always', ...options })
  stream.start()
  await pass(clock, 10_000)
  expect(stream.view).toMatchObject({ state: 'live', source: 'camera', reason: null })
}

/** The states that the stream enters within `ms`, and after how many milliseconds. */
async function statesWithin(ms: number): Promise<readonly (readonly [number, StreamState])[]> {
  const [sinceMs, states] = [clock.now(), [] as [number, StreamState][]]
  let last = stream.view.state
  for (let passed = 0; passed < ms; passed += 500) {
    await pass(clock, 500)
    if (stream.view.state !== last) states.push([stream.view.sinceMs - sinceMs, stream.view.state])
    last = stream.view.state
  }
  return states
}

/** How many values a distribution has. */
async function countOf(distribution: Histogram<string>): Promise<number> {
  const { values } = await distribution.get()
  return values.find(({ metricName }) => metricName?.endsWith('_count') === true)?.value ?? 0
}

const msns = (): readonly number[] => (stream.view.live?.tail ?? []).map(({ msn }) => msn)

describe('a stream on demand', () => {
  test('G10: asks for nothing before somebody watches, and plays once somebody does', async () => {
    await open()
    await pass(clock, 60_000)
    expect(camera.opened).toBe(0)
    expect(stream.view).toMatchObject({ state: 'idle', live: undefined, source: null })
    const ready = stream.ready(never)
    expect(stream.view.state).toBe('starting')
    await pass(clock, 1_000)
    await ready
    expect(stream.view).toMatchObject({ state: 'live', source: 'camera' })
    expect(msns().length).toBeGreaterThanOrEqual(5)
    expect(camera.opened).toBe(1)
  })

  test('tells how long who woke it waited, and how long after upstream a fragment is listed', async () => {
    const counters = new GatewayCounters()
    await open({ counters })
    const { firstPlaylist, fragmentDelay } = counters.distributions
    const ready = [stream.ready(never), stream.ready(never)]
    await pass(clock, 1_000)
    await Promise.all([...ready, stream.ready(never)])
    expect(await countOf(firstPlaylist)).toBe(1)
    const { length } = msns()
    expect(await countOf(fragmentDelay)).toBe(length)
    await pass(clock, 10_000)
    expect(await countOf(fragmentDelay)).toBeGreaterThanOrEqual(length + 4)
  })

  test('G10: stops once nobody has watched for the idle time, to the millisecond', async () => {
    await open()
    stream.start()
    await pass(clock, 10_500)
    stream.touch()
    const touchedMs = clock.now()
    await pass(clock, 59_999)
    expect(stream.view.state).toBe('live')
    await pass(clock, 1)
    expect(stream.view).toMatchObject({
      state: 'idle',
      live: undefined,
      sinceMs: touchedMs + 60_000,
    })
    const { opened } = camera
    await pass(clock, 600_000)
    expect(camera.opened).toBe(opened)
  })

  test('G1: goes on with its numbers after a pause, behind what it held before', async () => {
    await open()
    stream.start()
    await pass(clock, 20_000)
    const before = msns()
    await stream.stop()
    expect(stream.view.state).toBe('idle')
    await pass(clock, 300_000)
    stream.start()
    expect(stream.view.live).toBeUndefined()
    await pass(clock, 2_000)
    expect(msns()[0]).toBe((before.at(-1) ?? 0) + 1)
    expect(stream.view.live?.tail[0]?.discontinuity).toBe('gap')
  })

  test('is started again while it is still stopping', async () => {
    await open()
    stream.start()
    await pass(clock, 5_000)
    const stopped = stream.stop()
    stream.start()
    await stopped
    await pass(clock, 5_000)
    expect(stream.view.state).toBe('live')
  })

  test('says at once why there is nothing to play where waiting is no cure', async () => {
    await open()
    camera.failure = new GatewayError('upstream_stream_not_found', 'no such stream')
    const refused = stream.ready(never)
    refused.catch(() => {})
    await pass(clock, 100)
    await expect(refused).rejects.toMatchObject({ code: 'upstream_stream_not_found' })
    expect(stream.view).toMatchObject({ state: 'failed', reason: 'upstream_stream_not_found' })
  })

  test('says why there is nothing to play when the start time-out is over', async () => {
    await open()
    camera.failure = new GatewayError('upstream_unavailable', 'KVS is away')
    const waiting = stream.ready(never)
    waiting.catch(() => {})
    const startedMs = clock.now()
    await pass(clock, 9_000)
    expect(stream.view.state).toBe('starting')
    await pass(clock, 1_000)
    await expect(waiting).rejects.toMatchObject({ code: 'upstream_unavailable' })
    await pass(clock, 1_000)
    expect(stream.view).toMatchObject({ state: 'offline', sinceMs: startedMs + 10_000 })
  })
})

describe('G11: a camera that is away', () => {
  test('hold: is stale, then offline with its last list; live again with the next fragment', async () => {
    await start({ onSignalLoss: 'hold' })
    camera.off()
    await pass(clock, 3_000)
    const silentMs = clock.now() - (stream.view.newest?.receivedMs ?? 0)
    const states = await statesWithin(60_000)
    expect(states.map(([, state]) => state)).toEqual(['stale', 'offline'])
    // Somebody looks once a second.
    expect(states.map(([ms]) => Math.floor((silentMs + (ms ?? 0)) / 1_000))).toEqual([6, 30])
    expect(stream.view.reason).toBe('no_media')
    expect(msns().length).toBeGreaterThanOrEqual(5)
    camera.on()
    expect(await statesWithin(20_000)).toMatchObject([[expect.any(Number), 'live']])
    expect(stream.view.live?.tail.at(-1)?.source).toBe('camera')
  })

  test.each([
    { failAfterMs: 30_000, withheldAfterMs: 30_000 },
    { failAfterMs: 12_500, withheldAfterMs: 12_500 },
    // Not before the signal counts as lost.
    { failAfterMs: 1_000, withheldAfterMs: 6_000 },
  ])(
    'fail: the list is withheld failAfter after the last fragment, to the millisecond: %j',
    async ({ failAfterMs, withheldAfterMs }) => {
      await start({ onSignalLoss: 'fail', failAfterMs })
      camera.off()
      await settle()
      await pass(clock, 3_000)
      const receivedMs = stream.view.newest?.receivedMs ?? 0
      await pass(clock, receivedMs + withheldAfterMs - 1 - clock.now())
      expect(stream.view.live).toBeDefined()
      await pass(clock, 1)
      expect(stream.view.live).toBeUndefined()
      camera.on()
      await pass(clock, 20_000)
      expect(stream.view.live).toBeDefined()
    },
  )

  test('ended: says so in its list, until something comes all the same', async () => {
    await start()
    camera.off()
    camera.hasEnded = true
    await pass(clock, 10_000)
    expect(stream.view).toMatchObject({ state: 'ended', live: { ended: true } })
    await pass(clock, 120_000)
    expect(stream.view.state).toBe('ended')
    camera.hasEnded = false
    camera.on()
    await pass(clock, 20_000)
    expect(stream.view).toMatchObject({ state: 'live', live: { ended: false } })
  })
})

describe('G3, G4: a session', () => {
  test('that is revoked costs no fragment and no seam', async () => {
    await start()
    const { discontinuitySequence } = stream.view
    for (let i = 0; i < 3; i += 1) {
      camera.revoke()
      await pass(clock, 8_000)
    }
    expect(camera.opened).toBe(4)
    expect(stream.view).toMatchObject({ state: 'live', discontinuitySequence })
    const { tail = [] } = stream.view.live ?? {}
    const first = camera.numbers.indexOf(tail[0]?.number ?? 0n)
    expect(tail.map(({ number }) => number)).toEqual(
      camera.numbers.slice(first, first + tail.length),
    )
    expect(tail.filter(({ discontinuity }) => discontinuity !== undefined)).toEqual([])
  })
})

test('a view is plain and frozen: what was sent to another process is the same there', async () => {
  await start({ dvrMs: 3_600_000 })
  const { view } = stream
  expect(Object.isFrozen(view)).toBe(true)
  expect(structuredClone(view)).toEqual(view)
  expect(stream.view).toBe(view)
  await pass(clock, 2_000)
  expect(stream.view).not.toBe(view)
})
