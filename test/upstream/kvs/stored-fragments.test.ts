import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { GatewayError } from '../../../src/base/errors.ts'
import type { Playback, StoredFragment, StoredRange } from '../../../src/upstream/kvs/kvs-api.ts'
import type { KvsSource } from '../../../src/upstream/kvs/kvs-source.ts'
import { lengthsOf } from '../../../src/upstream/kvs/recorded-lengths.ts'
import { CAMERA, type Kvs, startKvs } from '../support/kvs.ts'

const HOUR_MS = 3_600_000

let kvs: Kvs

beforeEach(async () => {
  kvs = await startKvs({ clip: 'av-360p' })
})

afterEach(() => kvs.close())

function list(range: Partial<StoredRange>): Promise<readonly StoredFragment[]> {
  const nowMs = kvs.clock.now()
  const { api, source, call } = kvs
  const whole = { clock: 'PRODUCER', startMs: nowMs - HOUR_MS, endMs: nowMs, ...range } as const
  return kvs.run(api.listFragments(source, whole, call))
}

describe('what KVS has stored', () => {
  test('is listed page by page, in order of numbers', async () => {
    const fragments = await list({})
    expect(fragments.length).toBeGreaterThan(3590)
    const numbers = fragments.map(({ number }) => number)
    expect(numbers).toEqual([...new Set(numbers)].toSorted((a, b) => (a < b ? -1 : 1)))
    expect(kvs.seen.filter((call) => call === 'ListFragments 200')).toHaveLength(4)
    expect(kvs.control.counters().cameras[CAMERA]?.quotaViolations).toEqual({})
  })

  test('is one page where a sample will do', async () => {
    const sample = await list({ isSample: true })
    expect(sample).toHaveLength(1000)
    const numbers = sample.map(({ number }) => number)
    expect(numbers).toEqual(numbers.toSorted((a, b) => (a < b ? -1 : 1)))
    expect(new Set(lengthsOf(sample).map((ms) => Math.round(ms / 10)))).toEqual(new Set([100]))
    expect(kvs.seen.filter((call) => call === 'ListFragments 200')).toHaveLength(1)
  })

  test('lies within the range, on the clock that was asked for', async () => {
    const endMs = kvs.clock.now() - 60_000
    const range = { startMs: endMs - 60_000, endMs }
    const [produced, arrived] = [
      await list({ ...range }),
      await list({ ...range, clock: 'SERVER' }),
    ]
    expect(produced.map(({ producerMs }) => producerMs)).toSatisfy(allWithin(range))
    expect(arrived.map(({ serverMs }) => serverMs)).toSatisfy(allWithin(range))
    expect(produced.map(({ number }) => number)).not.toEqual(arrived.map(({ number }) => number))
  })

  test('is nothing where nothing was recorded', async () => {
    const startMs = kvs.clock.now() + HOUR_MS
    expect(await list({ startMs, endMs: startMs + 60_000 })).toEqual([])
  })

  test('of a stream that KVS does not know is an error with its code', async () => {
    const { api, source, call, clock } = kvs
    const range = { clock: 'SERVER', startMs: clock.now() - 1000, endMs: clock.now() } as const
    const missing: KvsSource = { ...source, streamName: 'nobody', streamArn: undefined }
    const listed = kvs.run(api.listFragments(missing, range, call))
    await expect(listed).rejects.toMatchObject({ code: 'upstream_stream_not_found' })
  })
})

describe('sessions of the past', () => {
  const open = (playback: Playback): Promise<unknown> =>
    kvs.run(kvs.api.openSession(kvs.source, playback, kvs.call))

  test('are granted for a range with media in it', async () => {
    const startMs = kvs.clock.now() - HOUR_MS
    await open({ mode: 'ON_DEMAND', startMs, endMs: startMs + 60_000, fragmentResults: 1000 })
    expect(kvs.control.counters().cameras[CAMERA]?.openSessions).toBe(0)
  })

  test('have no media where none was recorded', async () => {
    const startMs = kvs.clock.now() + HOUR_MS
    const nothing = open({
      mode: 'ON_DEMAND',
      startMs,
      endMs: startMs + 60_000,
      fragmentResults: 1000,
    })
    await expect(nothing).rejects.toBeInstanceOf(GatewayError)
    await expect(nothing).rejects.toMatchObject({ code: 'no_media' })
  })
})

function allWithin({ startMs, endMs }: { startMs: number; endMs: number }) {
  return (times: readonly number[]): boolean =>
    times.length > 50 && times.every((ms) => ms >= startMs && ms <= endMs)
}
