import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { systemClock } from '../../src/base/clock.ts'
import { parseConfig } from '../../src/config/load.ts'
import { type Examination, examine } from '../../src/doctor/doctor.ts'
import { type Emulator, startEmulator } from '../../src/emulator/emulator.ts'
import { writeTrace } from '../../src/trace/trace-file.ts'
import { LIVE } from '../../src/upstream/kvs/kvs-api.ts'
import { LocalStreamQuota } from '../../src/upstream/kvs/quota.ts'
import { SdkKvsApi } from '../../src/upstream/kvs/sdk-kvs-api.ts'

const SETTINGS = {
  fragmentSelectorType: 'PRODUCER_TIMESTAMP',
  containerFormat: 'FRAGMENTED_MP4',
  discontinuityMode: 'ON_DISCONTINUITY',
  expiresMs: 300_000,
  fragmentResults: 5,
} as const

let emulator: Emulator
let strangers: Server
let examination: Examination

/** What a session of KVS lists is HLS as anybody’s: so it stands for another origin here. */
async function sessionUrl(streamName: string, container: 'FRAGMENTED_MP4' | 'MPEG_TS') {
  const api = new SdkKvsApi(systemClock, () => 0.5, { endpoint: emulator.url, region: 'us-west-2' })
  const { url } = await api.openSession(
    { streamName, ...SETTINGS, containerFormat: container },
    LIVE,
    {
      quota: new LocalStreamQuota(systemClock),
      observer: { request: () => {} },
      signal: new AbortController().signal,
    },
  )
  api.close()
  return url.reveal().href
}

beforeAll(async () => {
  emulator = await startEmulator({ config: { cameras: { mp4: {}, ts: {}, spare: {} } } })
  strangers = createServer((request, response) => {
    const status = request.url === '/refused' ? 403 : 200
    response.writeHead(status, { 'content-type': 'text/html' }).end('<html>hello</html>')
  })
  await new Promise<void>((resolve) => {
    strangers.listen(0, '127.0.0.1', resolve)
  })
  const stranger = `http://127.0.0.1:${(strangers.address() as AddressInfo).port}`
  const hls = (url: string) => ({ hls: { url, headers: { authorization: 'Bearer hush' } } })
  const file = {
    aws: { region: 'us-west-2', endpoint: emulator.url },
    streams: {
      mp4: hls(await sessionUrl('mp4', 'FRAGMENTED_MP4')),
      ts: hls(await sessionUrl('ts', 'MPEG_TS')),
      refused: hls(`${stranger}/refused`),
      page: hls(`${stranger}/page`),
      closed: hls('http://127.0.0.1:9/list.m3u8'),
      packets: { kvs: { streamName: 'ts', containerFormat: 'MPEG_TS' } },
      two: { kvs: { streamName: 'mp4' }, backup: { kvs: { streamName: 'missing' } } },
    },
  }
  const config = parseConfig('test', JSON.stringify(file), {})
  const hasty = {
    ...systemClock,
    sleep: (ms: number, signal?: AbortSignal) => systemClock.sleep(Math.min(ms, 50), signal),
  }
  examination = await examine(config, { clock: hasty, random: () => 0.5, env: {} })
})

afterAll(async () => {
  strangers.closeAllConnections()
  strangers.close()
  await emulator.close()
})

const wrongWith = (name: string): readonly string[] =>
  examination.streams
    .filter((stream) => stream.name === name)
    .flatMap(({ findings }) => findings.map(({ code }) => code))
    .filter((code) => code !== 'ok')

test.each([
  ['mp4', []],
  ['ts', []],
  ['refused', ['origin_refuses']],
  ['page', ['origin_list_unreadable']],
  ['closed', ['origin_unreachable']],
  ['packets', []],
  ['two', []],
  ['two (backup)', ['stream_not_found']],
])('%s', (name, codes) => {
  expect(wrongWith(name)).toEqual(codes)
})

test('an origin’s list, codecs and newest segments are told', () => {
  const seen = examination.streams.flatMap(({ name, findings }) =>
    findings.map((finding) => `${name} ${finding.check}: ${finding.seen}`),
  )
  expect(seen.find((line) => line.startsWith('mp4 origin'))).toMatch(/target duration 2 s$/)
  expect(seen.find((line) => line.startsWith('mp4 media'))).toMatch(
    /2 segments read: avc1\.\w+ and mp4a/,
  )
  expect(seen.find((line) => line.startsWith('ts media'))).toMatch(/1 segment read: avc1 and mp4a/)
})

test('G16: nothing of an origin’s address or headers is in a trace', () => {
  const written = writeTrace(examination.streams.flatMap(({ observations }) => observations ?? []))
  expect(written).not.toMatch(/127\.0\.0\.1|hush|SessionToken=(?!token)/)
})
