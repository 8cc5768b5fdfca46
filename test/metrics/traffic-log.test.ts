import { setImmediate as nextTurn } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { silentLog } from '../../src/base/log.ts'
import { GatewayCounters } from '../../src/metrics/gateway-counters.ts'
import { logTraffic } from '../../src/metrics/traffic-log.ts'
import { ManualClock } from '../support/manual-clock.ts'

test('traffic is told once a span, by what it was since the last time, and not when there was none', async () => {
  const counters = new GatewayCounters()
  const clock = new ManualClock()
  const lines: unknown[] = []
  const log = {
    ...silentLog,
    info: (event: string, fields = {}) => void lines.push([event, fields]),
  }
  const stop = new AbortController()
  const running = logTraffic({ counters, clock, log }, stop.signal)
  const minute = async (): Promise<void> => {
    clock.advance(60_000)
    await nextTurn()
  }
  const answer = (code: string): void =>
    counters.downstreamRequests.add({ stream: 'lobby', class: 'segment', code })

  await minute()
  answer('200')
  answer('404')
  answer('503')
  counters.downstreamBytes.add({ stream: 'lobby', class: 'segment' }, 1000)
  await minute()
  await minute()
  answer('304')
  await minute()
  stop.abort()
  await running

  expect(lines).toEqual([
    ['served', { requests: 3, bytes: 1000, refused: 1, failed: 1 }],
    ['served', { requests: 1, bytes: 0, refused: 0, failed: 0 }],
  ])
})
