import { expect, test } from 'vitest'
import { Counter } from '../../src/metrics/counter.ts'
import { GatewayCounters } from '../../src/metrics/gateway-counters.ts'
import { savedUsd } from '../../src/metrics/saved-usd.ts'

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

test('savings follow the price list and never go below zero', () => {
  expect(savedUsd(101 * 2 ** 30, 2 ** 30)).toBeCloseTo(1.19)
  expect(savedUsd(0, 2 ** 30)).toBe(0)
})
