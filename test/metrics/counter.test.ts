import { describe, expect, test } from 'vitest'
import { DownstreamCounts } from '../../src/http/downstream-counts.ts'
import { Counter } from '../../src/metrics/counter.ts'
import { GatewayCounters } from '../../src/metrics/gateway-counters.ts'

test('a cell is the number behind its labels, whatever order they are given in', () => {
  const counter = new Counter(['stream', 'code'])
  counter.cell({ stream: 'lobby', code: '200' }).value += 2
  counter.add({ code: '200', stream: 'lobby' })

  expect([...counter.samples()]).toEqual([{ labels: { stream: 'lobby', code: '200' }, value: 3 }])
})

test('a total sums what agrees with the labels that it is given', () => {
  const counter = new Counter(['stream', 'code'])
  counter.add({ stream: 'lobby', code: '200' }, 5)
  counter.add({ stream: 'lobby', code: '404' })
  counter.add({ stream: 'yard', code: '200' })

  expect(counter.total({ stream: 'lobby' })).toBe(6)
  expect(counter.total({ code: '200' })).toBe(6)
  expect(counter.total()).toBe(7)
})

test('an upstream observer counts calls and bytes for its own stream', () => {
  const counters = new GatewayCounters()
  counters.upstreamObserver('lobby').request('GetMP4MediaFragment', 200, 1000, 30)
  counters.upstreamObserver('lobby').request('GetHLSMediaPlaylist', 'ECONNRESET', 0, 30)

  expect(counters.traffic('lobby', 'upstream')).toEqual({ requests: 2, bytes: 1000 })
  expect(counters.traffic('yard', 'upstream')).toEqual({ requests: 0, bytes: 0 })
})

test('G17: streams that share a label leave no other behind, and know their own traffic', async () => {
  const counters = new GatewayCounters()
  counters.share('cam-1', '^cam-')
  counters.share('cam-2', '^cam-')
  counters.upstreamObserver('cam-1').request('GetMP4MediaFragment', 200, 1000, 30)
  counters.upstreamObserver('cam-2').request('GetMP4MediaFragment', 200, 10, 30)
  counters.fragments.add({ stream: 'cam-2' })

  expect([...counters.upstreamRequests.samples()]).toEqual([
    { labels: { stream: '^cam-', operation: 'GetMP4MediaFragment', code: '200' }, value: 2 },
  ])
  expect([...counters.fragments.samples()]).toEqual([{ labels: { stream: '^cam-' }, value: 1 }])
  expect(counters.traffic('cam-1', 'upstream')).toEqual({ requests: 1, bytes: 1000 })
  counters.fragmentDelay('cam-1', 40)
  const delays = await counters.distributions.fragmentDelay.get()
  expect(new Set(delays.values.map(({ labels }) => labels['stream']))).toEqual(new Set(['^cam-']))
  counters.unshare('cam-1')
  counters.unshare('cam-2')
  expect(counters.traffic('^cam-', 'upstream')).toEqual({ requests: 2, bytes: 1010 })
})

describe('money', () => {
  const GB = 1e9
  const usdPerGb = 0.0119

  /** Reads one GB of media from KVS, besides what is free. */
  function read(counters: GatewayCounters, stream: string): void {
    const observer = counters.upstreamObserver(stream, usdPerGb)
    counters.price(stream, usdPerGb)
    observer.request('GetMP4MediaFragment', 200, 0.75 * GB, 30)
    observer.request('GetTSFragment', 'upstream_timeout', 0.25 * GB, 30)
    observer.request('GetHLSMediaPlaylist', 200, GB, 30)
    observer.request('ListFragments', 200, 0, 30)
  }

  test('is spent on fragments by the GB of AWS’s bills, and saved by what players need not ask KVS for', () => {
    const counters = new GatewayCounters()
    read(counters, 'lobby')
    expect(counters.spent('lobby')).toBeCloseTo(0.0119)
    expect(counters.saved('lobby')).toBe(0)
    counters.downstreamBytes.add({ stream: 'lobby', class: 'segment' }, 100 * GB)
    counters.downstreamBytes.add({ stream: 'lobby', class: 'clip' }, GB)
    counters.downstreamBytes.add({ stream: 'lobby', class: 'playlist' }, 50 * GB)
    expect(counters.saved('lobby')).toBeCloseTo(1.19)
    expect([...counters.spentUsd.samples()].map(({ labels }) => labels)).toEqual([
      { stream: 'lobby', kind: 'hls' },
    ])
  })

  test('is known of each stream that shares a label, and of all together', () => {
    const counters = new GatewayCounters()
    for (const name of ['cam-1', 'cam-2']) counters.share(name, '/^cam-/')
    read(counters, 'cam-1')
    read(counters, 'cam-2')
    const counts = new DownstreamCounts(counters, 'cam-2')
    counts.answered('segment', 200, 2 * GB)
    counts.sent('segment', GB)
    counts.answered('playlist', 200, GB)
    expect(counters.spent('cam-1')).toBeCloseTo(0.0119)
    expect(counters.saved('cam-1')).toBe(0)
    expect(counters.saved('cam-2')).toBeCloseTo(0.0238)
    expect(counters.traffic('cam-2', 'downstream')).toEqual({ requests: 2, bytes: 4 * GB })
    expect(counters.spent('/^cam-/')).toBeCloseTo(0.0238)
    expect(counters.saved('/^cam-/')).toBeCloseTo(0.0119)
  })

  test('is no matter where the origin is not KVS', () => {
    const counters = new GatewayCounters()
    counters.upstreamObserver('lobby').request('segment', 200, GB, 30)
    counters.downstreamBytes.add({ stream: 'lobby', class: 'segment' }, 100 * GB)
    expect([counters.spent('lobby'), counters.saved('lobby')]).toEqual([0, 0])
    expect([...counters.spentUsd.samples()]).toEqual([])
  })
})
