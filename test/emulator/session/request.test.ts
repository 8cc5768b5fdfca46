import { expect, test } from 'vitest'
import type { KvsError } from '../../../src/emulator/service/kvs-error.ts'
import { readSessionRequest } from '../../../src/emulator/session/request.ts'
import { NOON } from '../support/client.ts'

const HOUR = 3_600_000
const limits = { nowMs: NOON, minExpires: 300, oldestMs: NOON - 24 * HOUR }
const range = (startMs: number, endMs?: number): unknown => ({
  StartTimestamp: startMs / 1000,
  ...(endMs === undefined ? {} : { EndTimestamp: endMs / 1000 }),
})

test('what is left out has the documented defaults', () => {
  expect(readSessionRequest({ StreamName: 'cam' }, limits)).toEqual({
    mode: 'LIVE',
    selector: 'SERVER_TIMESTAMP',
    range: undefined,
    container: 'FRAGMENTED_MP4',
    discontinuity: 'ALWAYS',
    timestamps: false,
    expiresSeconds: 300,
    maxFragments: 5,
  })
})

test('defaults depend on selector and mode', () => {
  const request = readSessionRequest(
    {
      PlaybackMode: 'ON_DEMAND',
      HLSFragmentSelector: {
        FragmentSelectorType: 'PRODUCER_TIMESTAMP',
        TimestampRange: range(NOON - HOUR, NOON + HOUR),
      },
    },
    limits,
  )
  expect(request).toMatchObject({ discontinuity: 'NEVER', maxFragments: 1000 })
  expect(request.range).toEqual({ startMs: NOON - HOUR, endMs: NOON + HOUR })
})

const server = (timestampRange: unknown): Record<string, unknown> => ({
  PlaybackMode: 'ON_DEMAND',
  HLSFragmentSelector: {
    FragmentSelectorType: 'SERVER_TIMESTAMP',
    TimestampRange: timestampRange,
  },
})

test.each<[string, Record<string, unknown>]>([
  ['Expires too short', { Expires: 299 }],
  ['Expires too long', { Expires: 43_201 }],
  ['Expires as text', { Expires: '300' }],
  ['no results', { MaxMediaPlaylistFragmentResults: 0 }],
  ['too many results', { MaxMediaPlaylistFragmentResults: 5001 }],
  ['unknown mode', { PlaybackMode: 'live' }],
  ['unknown container', { ContainerFormat: 'MKV' }],
  ['unknown discontinuity mode', { DiscontinuityMode: 'SOMETIMES' }],
  ['LIVE with a range', { HLSFragmentSelector: { TimestampRange: range(NOON - HOUR) } }],
  ['ON_DEMAND without selector', { PlaybackMode: 'ON_DEMAND' }],
  ['ON_DEMAND without range', server(undefined)],
  ['ON_DEMAND without end', server(range(NOON - HOUR))],
  ['LIVE_REPLAY without start', { ...server({}), PlaybackMode: 'LIVE_REPLAY' }],
  ['end before start', server(range(NOON - HOUR, NOON - 2 * HOUR))],
  ['end at start', server(range(NOON - HOUR, NOON - HOUR))],
  ['more than a day', server(range(NOON - 24 * HOUR, NOON + 1))],
  ['end in the future, server clock', server(range(NOON - HOUR, NOON + 1))],
  ['start before retention, server clock', server(range(NOON - 25 * HOUR, NOON - 24 * HOUR))],
])('%s is an invalid argument', (_, body) => {
  expect(() => readSessionRequest(body, limits)).toThrow(
    expect.objectContaining({ type: 'InvalidArgumentException', status: 400 }) as KvsError,
  )
})

test.each<[string, Record<string, unknown>]>([
  ['shortest and longest', { Expires: 43_200, MaxMediaPlaylistFragmentResults: 5000 }],
  ['LIVE_REPLAY without end', { ...server(range(NOON - HOUR)), PlaybackMode: 'LIVE_REPLAY' }],
  ['a whole day', server(range(NOON - 24 * HOUR, NOON - 1))],
])('%s is accepted', (_, body) => {
  expect(readSessionRequest(body, limits)).toBeDefined()
})
