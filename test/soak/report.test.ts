import { expect, test } from 'vitest'
import type { MonitorReport } from '../proof/continuity-monitor.ts'
import type { CameraCounters } from '../proof/emulator-control.ts'
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

const counters: CameraCounters = {
  calls: { GetMP4MediaFragment: { 200: 10, 500: 1 } },
  bytes: 1,
  sessionsOpened: 9,
  sessionsAtOnce: 2,
  quotaViolations: 0,
}

const upstream: StreamUpstream = {
  stream: 'lobby',
  state: 'live',
  rollovers: 3,
  bytesDown: 2 ** 30,
  bytesUp: 2 ** 20,
  cameras: [['lobby', counters]],
}

const passed: SoakReport = {
  ranMs: 60_000,
  seed: 1,
  gatewayRunning: true,
  gatewayLines: [],
  monitors: [monitor],
  audience: {
    groups: { clip: { viewers: 1, playlists: 1, segments: 1, bytes: 1, seen: { clips: 7 } } },
    segments: 1,
    errors: {},
    excused: { stall: 4 },
    examples: [],
  },
  longestOwnPauseMs: 12.3,
  troubles: { garbage: 2 },
  troubleFailures: [],
  upstream: [upstream],
  totals: { 'slate seconds': 3 },
  memory: [
    [
      'Gateway: RSS',
      { startBytes: 1, endBytes: 1, maxBytes: 1, bytesPerHour: Number.NaN, cpuShare: 0.1 },
    ],
  ],
}

test('a clean run passes and says what it saw', () => {
  expect(verdict(passed)).toEqual([])
  expect(printed(passed)).toContain('3 roll-overs')
  expect(printed(passed)).toContain('at most 2 live sessions, 0 quota violations')
  expect(printed(passed)).toContain('clips 7')
  expect(printed(passed)).toContain('slate seconds 3')
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

function counted(change: Partial<CameraCounters>): StreamUpstream {
  return { ...upstream, cameras: [['lobby', { ...counters, ...change }]] }
}
