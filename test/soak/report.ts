import type { MonitorReport } from '../proof/continuity-monitor.ts'
import { type CameraCounters, callsOf } from '../proof/emulator-control.ts'
import type { AudienceReport, GroupReport } from './audience.ts'
import type { MemoryReport } from './memory-watch.ts'

export interface StreamUpstream {
  readonly stream: string
  readonly state: string
  readonly rollovers: number
  readonly bytesDown: number
  readonly bytesUp: number
  /** Camera by camera, as the emulator counted; none for a stream that follows another one. */
  readonly cameras: readonly (readonly [name: string, counters: CameraCounters])[]
}

export interface SoakReport {
  readonly ranMs: number
  readonly seed: number
  readonly gatewayRunning: boolean
  /** The newest lines that the gateway printed. */
  readonly gatewayLines: readonly string[]
  readonly monitors: readonly MonitorReport[]
  readonly audience: AudienceReport
  /** How long the process that judges stood still at most. */
  readonly longestOwnPauseMs: number
  readonly troubles: Readonly<Record<string, number>>
  readonly troubleFailures: readonly string[]
  readonly upstream: readonly StreamUpstream[]
  /** What the gateway counted of all streams: late fragments, slates, changes of source. */
  readonly totals: Readonly<Record<string, number>>
  /** By whose memory it is. */
  readonly memory: readonly (readonly [whose: string, memory: MemoryReport])[]
}

const MOST_SESSIONS = 2
const MIB = 1024 * 1024

/** Every reason for which the soak has failed; none: it passed. */
export function verdict(report: SoakReport): readonly string[] {
  const faults = report.monitors.reduce((sum, { total }) => sum + total, 0)
  const errors = Object.values(report.audience.errors).reduce((sum, count) => sum + count, 0)
  const reasons: [boolean, string][] = [
    [!report.gatewayRunning, 'the gateway ended'],
    [faults > 0, `${faults} continuity faults`],
    [errors > 0, `${errors} viewer errors`],
    [report.audience.segments === 0, 'no viewer got a segment'],
    [report.monitors.some(({ segments }) => segments === 0), 'a stream had no segment'],
    [report.troubleFailures.length > 0, `${report.troubleFailures.length} troubles not inflicted`],
    [
      report.upstream.length < report.monitors.length,
      'emulator or gateway did not answer at the end',
    ],
    ...report.upstream
      .flatMap(({ cameras }) => cameras)
      .flatMap(([camera, { sessionsAtOnce, quotaViolations }]): [boolean, string][] => [
        [sessionsAtOnce > MOST_SESSIONS, `${camera}: ${sessionsAtOnce} sessions`],
        [quotaViolations > 0, `${camera}: ${quotaViolations} quota violations`],
      ]),
  ]
  return reasons.filter(([failed]) => failed).map(([, reason]) => reason)
}

/** The report as text for a terminal. */
export function printed(report: SoakReport): string {
  const { audience, monitors, upstream, troubles, ranMs, seed } = report
  const reasons = verdict(report)
  return [
    `Soak: ${(ranMs / 60_000).toFixed(1)} minutes, seed ${seed}`,
    '',
    'Continuity',
    ...monitors.flatMap(monitorLines),
    '',
    'Viewers',
    ...Object.entries(audience.groups).map(groupLine),
    `  errors ${inWords(audience.errors)}`,
    `  excused while camera, KVS or this machine gave too little: ${inWords(audience.excused)}`,
    ...audience.examples.map((line) => `  ${line}`),
    `  their own process stood still for ${Math.round(report.longestOwnPauseMs)} ms at most`,
    '',
    `Trouble: ${inWords(troubles)}`,
    ...report.troubleFailures.map((line) => `  not inflicted: ${line}`),
    '',
    `Gateway: ${inWords(report.totals)}`,
    '',
    'Upstream',
    ...upstream.flatMap(upstreamLines),
    '',
    ...report.memory.map(memoryLine),
    '',
    reasons.length === 0 ? 'PASSED' : `FAILED: ${reasons.join('; ')}`,
    ...(report.gatewayRunning ? [] : report.gatewayLines),
  ].join('\n')
}

function monitorLines({ url, segments, discontinuities, counts, faults }: MonitorReport): string[] {
  const excerpts = faults
    .slice(0, 5)
    .flatMap(({ kind, guarantee, rendition, msn, detail, excerpt }) => [
      `    ${guarantee} ${kind} ${rendition ?? ''} ${msn ?? ''}: ${detail}`,
      ...(excerpt === undefined ? [] : excerpt.split('\n').map((line) => `      | ${line}`)),
    ])
  const path = new URL(url).pathname
  const told = `${segments} fragments, ${discontinuities} discontinuities`
  return [`  ${path}: ${told}, faults ${inWords(counts)}`, ...excerpts]
}

function groupLine([name, group]: [string, GroupReport]): string {
  const { viewers, playlists, segments, bytes, seen } = group
  const told = `${playlists} playlists, ${segments} segments, ${mib(bytes)} MiB`
  return `  ${name}: ${viewers} viewers, ${told}; ${inWords(seen)}`
}

function upstreamLines(upstream: StreamUpstream): string[] {
  const { stream, state, rollovers, cameras, bytesDown, bytesUp } = upstream
  return [
    `  ${stream} (${state}): ${rollovers} roll-overs, ${mib(bytesUp)} MiB in, ${mib(bytesDown)} MiB out`,
    ...cameras.map(cameraLine),
  ]
}

function cameraLine([camera, counters]: StreamUpstream['cameras'][number]): string {
  const { sessionsAtOnce, quotaViolations } = counters
  const calls = Object.keys(counters.calls).map((name) => `${name} ${callsOf(counters, name)}`)
  const told = `at most ${sessionsAtOnce} live sessions, ${quotaViolations} quota violations`
  return `    ${camera}: ${told}, ${calls.join(', ')}`
}

function memoryLine([whose, memory]: SoakReport['memory'][number]): string {
  const { startBytes, endBytes, maxBytes, bytesPerHour, cpuShare } = memory
  const slope = Number.isNaN(bytesPerHour) ? 'too short for a slope' : `${mib(bytesPerHour)} MiB/h`
  return (
    `${whose} ${mib(startBytes)} MiB at first, ${mib(endBytes)} at last, ${mib(maxBytes)} at most, ` +
    `${slope}; CPU ${(100 * cpuShare).toFixed(1)} % of a core`
  )
}

const mib = (bytes: number): string => (bytes / MIB).toFixed(1)

function inWords(counts: Readonly<Record<string, number | undefined>>): string {
  const entries = Object.entries(counts).map(([name, count]) => `${name} ${count}`)
  return entries.length === 0 ? 'none' : entries.join(', ')
}
