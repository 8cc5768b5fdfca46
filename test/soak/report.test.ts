import { expect, test } from 'vitest'
import type { MonitorReport } from '../proof/continuity-monitor.ts'
import type { Incident } from '../proof/viewer.ts'
import { Excuses } from './excuses.ts'
import { printed, type SoakReport, type StreamUpstream, verdict } from './report.ts'

const monitor: MonitorReport = {
  url: 'http://127.0.0.1:1/hls/lobby/master.m3u8',
  faults: [],
  counts: {},
  total: 0,
  polls: 9,
  segments: 9,
  discontinuities: 0,
  missed: 0,
  lastMsn: 9,
}

const upstream: StreamUpstream = {
  stream: 'lobby',
  state: 'live',
  rollovers: 3,
  bytesDown: 2 ** 30,
  bytesUp: 2 ** 20,
  counters: {
    calls: { GetMP4MediaFragment: { 200: 10, 500: 1 } },
    bytes: 1,
    sessionsOpened: 9,
    sessionsAtOnce: 2,
    quotaViolations: 0,
  },
}

const passed: SoakReport = {
  ranMs: 60_000,
  seed: 1,
  gatewayRunning: true,
  gatewayLines: [],
  monitors: [monitor],
  audience: {
    viewers: 1,
    playlists: 1,
    segments: 1,
    bytes: 1,
    errors: {},
    excused: 4,
    examples: [],
  },
  troubles: { garbage: 2 },
  troubleFailures: [],
  upstream: [upstream],
  memory: { startBytes: 1, endBytes: 1, maxBytes: 1, bytesPerHour: Number.NaN, cpuShare: 0.1 },
}

test('a clean run passes and says what it saw', () => {
  expect(verdict(passed)).toEqual([])
  expect(printed(passed)).toContain('3 roll-overs, at most 2 sessions')
  expect(printed(passed)).toContain('GetMP4MediaFragment 11')
  expect(printed(passed)).toMatch(/PASSED$/)
})

test.each<[string, Partial<SoakReport>]>([
  ['the gateway ended', { gatewayRunning: false }],
  ['3 continuity faults', { monitors: [{ ...monitor, total: 3 }] }],
  ['2 viewer errors', { audience: { ...passed.audience, errors: { 'http-503': 2 } } }],
  ['no viewer got a segment', { audience: { ...passed.audience, segments: 0 } }],
  ['a stream had no segment', { monitors: [{ ...monitor, segments: 0 }] }],
  ['1 troubles not inflicted', { troubleFailures: ['garbage on lobby'] }],
  ['emulator or gateway did not answer at the end', { upstream: [] }],
  ['lobby: 3 sessions', { upstream: [counted({ sessionsAtOnce: 3 })] }],
  ['lobby: 1 quota violations', { upstream: [counted({ quotaViolations: 1 })] }],
])('%s', (reason, change) => {
  const report = { ...passed, ...change }
  expect(verdict(report)).toEqual([reason])
  expect(printed(report)).toContain(`FAILED: ${reason}`)
})

function counted(change: Partial<StreamUpstream['counters']>): StreamUpstream {
  return { ...upstream, counters: { ...upstream.counters, ...change } }
}

test('only stalls and skips are excused, and only while the camera gave too little', () => {
  const excuses = new Excuses()
  const stall = (atMs: number, lastedMs: number, kind = 'stall'): Incident => ({
    kind,
    url: '/',
    detail: '',
    atMs,
    lastedMs,
  })
  const close = excuses.open('lobby', 1_000)
  expect(excuses.covers('lobby', stall(9_000, 100))).toBe(true)
  close(2_000)

  expect(excuses.covers('lobby', stall(1_500, 0, 'fell-behind'))).toBe(true)
  expect(excuses.covers('lobby', stall(1_500, 100))).toBe(true)
  expect(excuses.covers('lobby', stall(500, 600))).toBe(true)
  expect(excuses.covers('lobby', stall(2_001, 100))).toBe(false)
  expect(excuses.covers('lobby', stall(500, 100))).toBe(false)
  expect(excuses.covers('yard', stall(1_500, 100))).toBe(false)
  expect(excuses.covers('lobby', stall(1_500, 0, 'http-503'))).toBe(false)
})
