import { afterEach, describe, expect, test } from 'vitest'
import { systemClock } from '../../../src/base/clock.ts'
import { type Emulator, startEmulator } from '../../../src/emulator/emulator.ts'
import { LIVE } from '../../../src/upstream/kvs/kvs-api.ts'
import { LocalStreamQuota } from '../../../src/upstream/kvs/quota.ts'
import { SdkKvsApi } from '../../../src/upstream/kvs/sdk-kvs-api.ts'

const MINUTE_MS = 60_000
const ROLE = 'arn:aws:iam::210987654321:role/viewer'
const SETTINGS = {
  fragmentSelectorType: 'PRODUCER_TIMESTAMP',
  containerFormat: 'FRAGMENTED_MP4',
  discontinuityMode: 'ON_DISCONTINUITY',
  expiresMs: 300_000,
  fragmentResults: 10,
} as const

let emulator: Emulator
let api: SdkKvsApi
/** How far this machine's date has been set back since. */
let stepMs = 0

afterEach(async () => {
  stepMs = 0
  api.close()
  await emulator.close()
})

/** AWS, whose date is so far ahead of this machine's. */
async function start(aheadMs: number): Promise<void> {
  emulator = await startEmulator({
    date: () => Date.now() + aheadMs + stepMs,
    config: { checkDates: true, cameras: { a: {}, b: {}, theirs: { roleArn: ROLE } } },
  })
  api = new SdkKvsApi(systemClock, () => 0.5, { endpoint: emulator.url, region: 'us-west-2' })
}

async function open(streamName: string, roleArn?: string): Promise<readonly string[]> {
  const seen: string[] = []
  const role = roleArn === undefined ? {} : { roleArn }
  await api.openSession({ streamName, ...SETTINGS, ...role }, LIVE, {
    quota: new LocalStreamQuota(systemClock),
    observer: { request: (operation, code) => void seen.push(`${operation} ${code}`) },
    signal: new AbortController().signal,
  })
  return seen
}

const refused = (camera: string): unknown => emulator.control.counters().cameras[camera]?.calls

describe.each([10 * MINUTE_MS, -10 * MINUTE_MS, 26 * 60 * MINUTE_MS])(
  'with AWS %i ms ahead',
  (aheadMs) => {
    test('the first call finds out, and goes through', async () => {
      await start(aheadMs)
      expect(await open('a')).toEqual(['GetDataEndpoint 200', 'GetHLSStreamingSessionURL 200'])
      expect(refused('a')).toMatchObject({
        GetDataEndpoint: { 200: 1, 403: 1 },
        // Another client of the SDK, which knows by then.
        GetHLSStreamingSessionURL: { 200: 1 },
      })
    })

    test('all clients know afterwards', async () => {
      await start(aheadMs)
      await open('a')
      expect(await open('b')).toEqual(['GetDataEndpoint 200', 'GetHLSStreamingSessionURL 200'])
      expect(refused('b')).toEqual({
        GetDataEndpoint: { 200: 1 },
        GetHLSStreamingSessionURL: { 200: 1 },
      })
    })

    test('a date that is set right, or wrong once more, costs no call', async () => {
      await start(aheadMs)
      await open('a')
      for (const step of [-aheadMs, 0, aheadMs]) {
        stepMs = step
        expect(await open('b')).not.toContain('GetHLSStreamingSessionURL 403')
        expect((await open('b')).at(-1)).toBe('GetHLSStreamingSessionURL 200')
      }
    })

    test('a role is assumed within the call', async () => {
      await start(aheadMs)
      expect(await open('theirs', ROLE)).toEqual([
        'GetDataEndpoint 200',
        'GetHLSStreamingSessionURL 200',
      ])
    })
  },
)

test('control: four minutes are borne by AWS itself', async () => {
  await start(4 * MINUTE_MS)
  await open('a')
  expect(refused('a')).toEqual({
    GetDataEndpoint: { 200: 1 },
    GetHLSStreamingSessionURL: { 200: 1 },
  })
})
