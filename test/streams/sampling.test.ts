import { afterEach, beforeEach, expect, test } from 'vitest'
import { GatewayCounters } from '../../src/metrics/gateway-counters.ts'
import { Histories, type StreamHistoryView } from '../../src/streams/history.ts'
import type { LiveStream } from '../../src/streams/live-stream.ts'
import { sampleStreams } from '../../src/streams/sampling.ts'
import { ManualClock } from '../support/manual-clock.ts'
import { FRAGMENT_MS, ScriptedCamera } from '../support/scripted-camera.ts'
import { openScripted, pass } from '../support/scripted-stream.ts'

let clock: ManualClock
let camera: ScriptedCamera
let counters: GatewayCounters
let histories: Histories
let all: LiveStream[]
let stop: AbortController

beforeEach(async () => {
  clock = new ManualClock()
  camera = new ScriptedCamera(clock)
  counters = new GatewayCounters()
  histories = new Histories()
  stop = new AbortController()
  camera.on()
  await pass(clock, 30_000)
  all = [await openScripted({ clock, camera, counters, activation: 'always' })]
  void sampleStreams({ clock, counters, histories, streams: { all: () => all } }, stop.signal)
})
afterEach(async () => {
  stop.abort()
  await Promise.all(all.map((stream) => stream.close()))
})

const lobby = (): StreamHistoryView => histories.of('lobby').view(clock.now(), (ms) => ms)

test('a point each ten seconds tells how a stream is, and what came and went since the one before', async () => {
  await pass(clock, 10_000)
  all[0]?.start()
  await pass(clock, 5_000)
  counters.upstreamObserver('lobby').request('GetMP4MediaFragment', 200, 50_000, 5)
  counters.downstreamBytes.add({ stream: 'lobby', class: 'segment' }, 200_000)
  await pass(clock, 15_000)
  camera.off()
  await pass(clock, 50_000)

  const seen = lobby()
  expect(seen.state).toEqual([
    'idle',
    'live',
    'live',
    'stale',
    'stale',
    'stale',
    'offline',
    'offline',
  ])
  expect(seen.upstreamBytesPerSecond).toEqual([0, 5_000, 0, 0, 0, 0, 0, 0])
  expect(seen.downstreamBytesPerSecond).toEqual([0, 20_000, 0, 0, 0, 0, 0, 0])
  const [before, begun = null, settled = null, ...lost] = seen.delaySeconds
  expect([before, ...lost]).toEqual([null, null, null, null, null, null])
  // What is listed first was recorded before anybody asked for it, which is no delay.
  for (const delay of [begun, settled]) {
    expect(delay).toBeGreaterThan(FRAGMENT_MS / 1000)
    expect(delay).toBeLessThan((2 * FRAGMENT_MS) / 1000)
  }
  expect(seen.bitsPerSecond[2]).toBeGreaterThan(0)
  expect(seen.bitsPerSecond.at(-1)).toBeNull()
})

test('G17: a stream by pattern is forgotten when it is gone', async () => {
  await pass(clock, 20_000)
  expect(lobby().at).toHaveLength(2)
  const [stream] = all
  all = []
  await stream?.close()
  await pass(clock, 10_000)
  expect(lobby().at).toEqual([])
})
