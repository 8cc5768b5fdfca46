import { mkdtemp, readFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Clock, systemClock } from '../../src/base/clock.ts'
import { run } from '../../src/cli/main.ts'
import { parseConfig } from '../../src/config/load.ts'
import { diagnose } from '../../src/doctor/diagnosis/diagnose.ts'
import { type Diagnosis, type Examination, examine } from '../../src/doctor/doctor.ts'
import { reportLines, reportSchema } from '../../src/doctor/report.ts'
import { causes, causesConfig } from '../../src/emulator/causes.ts'
import { type Emulator, startEmulator } from '../../src/emulator/emulator.ts'
import { replayFile } from '../../src/emulator/replay/replay.ts'
import { readTrace, writeTrace } from '../../src/trace/trace-file.ts'

/**
 * What the doctor says of each trouble that the emulator can bring about: the codes, of which the first is told first.
 * Those without a code keep nothing of ours from working.
 */
const EXPECTED: Readonly<Record<string, readonly string[]>> = {
  healthy: [],
  'denied-get-data-endpoint': ['action_missing'],
  'denied-describe-stream': ['doctor_action_missing'],
  'denied-get-hls-streaming-session-url': ['action_missing'],
  'denied-list-fragments': ['action_missing'],
  'denied-describe-stream-storage-configuration': ['doctor_action_missing'],
  'denied-list-tags-for-stream': [],
  'denied-list-streams': [],
  'denied-get-media-for-fragment-list': ['doctor_action_missing'],
  'denied-by-scp': ['action_denied'],
  'denied-by-session-policy': ['action_denied'],
  'denied-by-boundary': ['action_denied'],
  'other-account': ['other_account'],
  'role-refused': ['role_refused'],
  'external-id': ['role_refused'],
  'expired-credentials': ['credentials_expired'],
  'unknown-credentials': ['credentials_refused'],
  'wrong-secret': ['credentials_refused'],
  'gateway-clock': ['clock_off'],
  'kms-denied': ['kms_denied'],
  'kms-key-disabled': ['kms_denied'],
  'data-host-refused': ['data_unreachable'],
  'data-host-silent': ['data_unreachable'],
  'proxy-needed': ['proxy_needed'],
  'proxy-login': ['proxy_refuses'],
  'captive-page': ['stranger_answers'],
  'connections-reset': ['control_unreachable'],
  'reader-takes-calls': ['throttled_out'],
  'reader-takes-most': ['throttled_out'],
  'account-throttled': ['account_throttled'],
  'wrong-region': ['wrong_region'],
  'wrong-name': ['stream_not_found'],
  'not-active': ['stream_not_active'],
  'no-retention': ['no_retention'],
  'warm-tier': ['warm_short_fragments'],
  'no-private-data': ['codec_private_data_missing'],
  'no-sound-private-data': ['audio_private_data_missing'],
  'invalid-private-data': ['codec_private_data_invalid'],
  'annex-b': ['annex_b'],
  'unsupported-pictures': ['unsupported_codec'],
  'g711-sound': ['unsupported_codec'],
  'pcm-sound': ['unsupported_codec'],
  hevc: ['hevc'],
  'sound-offset': ['audio_apart'],
  'late-key-frames': ['first_not_key'],
  'long-fragments': ['long_fragments'],
  'short-fragments': ['short_fragments'],
  gaps: ['gaps'],
  'producer-behind': ['producer_clock_behind'],
  'producer-ahead': ['producer_clock_ahead'],
  'producer-from-zero': ['producer_clock_1970'],
  'producer-drifts': ['producer_clock_drifts'],
  'two-producers': ['two_producers', 'codec_changes'],
  'producer-silent': ['producer_silent'],
  'never-any-data': ['never_recorded'],
  'slow-uplink': ['uplink_slow'],
  reconnects: ['reconnects'],
  'silent-track': ['gaps', 'silent_track'],
  'track-change': ['track_change'],
  'codec-changes': ['codec_changes'],
}

/** Some of its fragments are refused, so what else is told depends on when one looks. */
const LONG_GOP = 'long-gop'

const ROLES: Readonly<Record<string, string>> = {
  'role-refused': 'arn:aws:iam::210987654321:role/refused',
  'external-id': 'arn:aws:iam::210987654321:role/external',
}

/** Waits for nothing that takes long, as nothing here needs a second look, and is patient with a slow machine. */
const hasty: Clock = {
  ...systemClock,
  // What takes long here takes a tenth of it, and is no slow line.
  now: () => systemClock.now() / 10,
  sleep: (ms, signal) => systemClock.sleep(Math.min(ms, 50), signal),
  alarm: (ms, ring) => systemClock.alarm(ms > 20_000 ? 10 * ms : 1.5 * ms, ring),
}

let emulator: Emulator
let examination: Examination

/** Looks at streams of an emulator, by the names that they have here and there. */
function lookAt({ url }: Emulator, names: Readonly<Record<string, string>>): Promise<Examination> {
  const streams = Object.entries(names).map(([name, streamName]) => {
    return [name, { kvs: { streamName, roleArn: ROLES[name] } }] as const
  })
  const file = {
    aws: { region: 'us-west-2', endpoint: url },
    streams: Object.fromEntries(streams),
    dynamicStreams: [{ match: '^cam-[0-9]+$' }],
  }
  const config = parseConfig('test', JSON.stringify(file), {})
  return examine(config, { clock: hasty, random: () => 0.5, env: {} })
}

beforeAll(async () => {
  const nowMs = Date.now()
  const names = [...Object.keys(EXPECTED), LONG_GOP]
  emulator = await startEmulator({ config: causesConfig(names, nowMs) })
  const called = names.map((name) => [name, `cause-${name}`] as const)
  examination = await lookAt(emulator, Object.fromEntries(called))
})

afterAll(() => emulator.close())

const diagnosisOf = (name: string): Diagnosis => {
  const found = examination.streams.find((stream) => stream.name === name)
  if (found === undefined) throw new RangeError(name)
  return found
}

test('the table has all causes that the emulator can bring about', () => {
  expect([...Object.keys(EXPECTED), LONG_GOP].toSorted()).toEqual(
    Object.keys(causes(Date.now())).toSorted(),
  )
})

describe('the doctor names', () => {
  test.each(Object.entries(EXPECTED))('%s', (name, codes) => {
    const { findings } = diagnosisOf(name)
    const wrong = findings.filter(({ level }) => level !== 'ok')
    expect(wrong.map(({ code }) => code)).toEqual(codes)
    for (const { todo = '' } of wrong) expect(todo).toMatch(/\w{3}/)
  })
})

test('the doctor names long-gop', () => {
  expect(diagnosisOf(LONG_GOP).findings.map(({ code }) => code)).toContain('long_gop')
})

test('what is known to a proxy alone is reached through it', async () => {
  const file = {
    aws: { region: 'us-west-2', endpoint: emulator.url },
    streams: { proxied: { kvs: { streamName: 'cause-proxy-needed' } } },
  }
  const config = parseConfig('test', JSON.stringify(file), {})
  const env = { HTTP_PROXY: emulator.url }
  const { streams } = await examine(config, { clock: hasty, random: () => 0.5, env })
  expect(streams[0]?.findings.filter(({ level }) => level !== 'ok')).toEqual([])
})

test('a minute is all that it takes: what could not be looked at by then is told', async () => {
  const names = Array.from({ length: 100 }, (_, i) => `silent-${i}`)
  const silent = { faults: [{ kind: 'latency' as const, ms: 600_000 }] }
  const cameras = Object.fromEntries(names.map((name) => [name, silent]))
  const far = await startEmulator({ config: { cameras } })
  const file = {
    aws: { region: 'us-west-2', endpoint: far.url },
    streams: Object.fromEntries(names.map((name) => [name, { kvs: { streamName: name } }])),
  }
  // A hundred times as fast: each of a hundred streams is waited for, eight at a time.
  const clock = {
    ...systemClock,
    alarm: (ms: number, ring: () => void) => systemClock.alarm(ms / 100, ring),
  }
  const config = parseConfig('test', JSON.stringify(file), {})
  const { streams } = await examine(config, { clock, random: () => 0.5, env: {} })
  const codes = streams.flatMap(({ findings }) => findings.map(({ code }) => code))
  expect(streams).toHaveLength(100)
  expect(codes).toContain('control_unreachable')
  expect(codes).toContain('unfinished')
  await far.close()
})

test('the last line sums up, and patterns are told', () => {
  expect(examination.patterns).toEqual(['^cam-[0-9]+$'])
  expect(reportLines(examination).at(-1)).toMatch(/^\d+ failed, \d+ warnings: start with “.*” of/)
})

test('G9: of each stream’s quotas no more than two per cent of a minute is used', () => {
  // Calls per second and stream, or session. KVS.md, section 10.
  const perS = {
    DescribeStream: 5,
    DescribeStreamStorageConfiguration: 5,
    GetDataEndpoint: 5,
    GetHLSStreamingSessionURL: 25,
    ListFragments: 5,
    GetMediaForFragmentList: 5,
    GetHLSMasterPlaylist: 5,
    GetHLSMediaPlaylist: 5,
    GetMP4InitFragment: 5,
    GetMP4MediaFragment: 20,
    // Not of Kinesis Video Streams.
    AssumeRole: Infinity,
  }
  const { cameras } = emulator.control.counters()
  const over = Object.entries(cameras).flatMap(([name, { calls }]) =>
    Object.entries(calls).flatMap(([operation, byStatus]) => {
      const made = Object.values(byStatus ?? {}).reduce((sum, count) => sum + count, 0)
      const limit = perS[operation as keyof typeof perS]
      return made <= 0.02 * 60 * limit ? [] : [`${name} ${operation} ${made}`]
    }),
  )
  // A name that is missing here is looked for in twenty regions, whose limits are their own.
  expect(over.filter((line) => !line.startsWith('cause-wrong-region '))).toEqual([])
  expect(Object.keys(cameras).length).toBeGreaterThan(50)
})

/** What must not be in a trace, with what stands around it. */
function secretsIn(text: string): readonly string[] {
  const secret =
    /.{0,20}(\d{12}:|cause-|127\.0\.0\.1|localhost|SessionToken=(?!token)|arn:).{0,40}/g
  return text.match(secret) ?? []
}

test('G16: a trace of all of them holds no name, host, account or token, and says the same', () => {
  const seen = examination.streams.flatMap(({ observations }) => observations ?? [])
  const written = writeTrace(seen)
  expect(secretsIn(written)).toEqual([])
  for (const { observations } of readTrace(written).streams) {
    const same = seen.find((one) => JSON.stringify(one) === JSON.stringify(observations))
    expect(same && diagnose(observations)).toEqual(same && diagnose(same))
    expect(same).toBeDefined()
  }
})

/** What is wrong with a stream, by code and by what is to be done. */
const wrongWith = ({ findings }: Diagnosis): readonly unknown[] =>
  findings.flatMap(({ level, code, todo }) => (level === 'ok' ? [] : [{ level, code, todo }]))

test('who replays a trace is told the same of all of them', async () => {
  const traced = examination.streams.filter(({ observations }) => observations !== undefined)
  const trace = writeTrace(traced.flatMap(({ observations }) => observations ?? []))
  const { config } = replayFile(trace, Date.now())
  const player = await startEmulator({ config })
  const called = traced.map(({ name }, i) => [name, `stream-${i + 1}`] as const)
  const { streams } = await lookAt(player, Object.fromEntries(called))
  await player.close()
  const named = (each: Diagnosis): object => ({ name: each.name, wrong: wrongWith(each) })
  const unnamed = (text: string): string => text.replaceAll(/stream-\d+|cause-[a-z0-9-]+/g, 'NAME')
  expect(JSON.parse(unnamed(JSON.stringify(streams.map(named))))).toEqual(
    JSON.parse(unnamed(JSON.stringify(traced.map(named)))),
  )
})

test('the command prints lines or JSON, writes a trace, and its exit code tells', async () => {
  const file = join(await mkdtemp(join(tmpdir(), 'doctor-')), 'trace.json')
  const lines: string[] = []
  const terminal = {
    env: {},
    out: (line: string) => void lines.push(line),
    err: (line: string) => void lines.push(line),
    onReload: () => {},
    untilStopped: () => new Promise<void>(() => {}),
  }
  process.env['AWS_ENDPOINT_URL_KINESIS_VIDEO'] = emulator.url
  try {
    const stream = ['doctor', '--stream', 'cause-no-retention', '--region', 'us-west-2']
    expect(await run([...stream, '--json', '--trace', file], terminal)).toBe(1)
    const report = reportSchema.parse(JSON.parse(lines.join('\n')))
    expect(report.result).toBe('fail')
    expect(readTrace(await readFile(file, 'utf8')).streams).toHaveLength(1)
    lines.length = 0
    expect(await run(stream, terminal)).toBe(1)
    expect(lines[0]).toBe('cause-no-retention')
    expect(lines.filter((line) => /^ {2}fail {2}retention /.test(line))).toHaveLength(1)
    expect(await run(['doctor'], terminal)).toBe(2)
  } finally {
    delete process.env['AWS_ENDPOINT_URL_KINESIS_VIDEO']
  }
})
