import { describe, expect, test } from 'vitest'
import { type Signs, stateOf } from '../../src/streams/state.ts'

const RULES = { startTimeoutMs: 8_000, signalLossAfterMs: 10_000 }
const LIVE: Signs = {
  running: true,
  startedMs: 0,
  receivedMs: 100_000,
  trouble: undefined,
  slated: false,
  ended: false,
}

describe('state of a stream', () => {
  test.each([
    ['live', LIVE, 109_999],
    ['ended', { ...LIVE, ended: true }, 100_001],
    ['ended', { ...LIVE, ended: true, trouble: 'upstream_unavailable' }, 900_000],
    ['idle', { ...LIVE, ended: true, running: false }, 100_001],
    ['stale', LIVE, 110_000],
    ['stale', LIVE, 129_999],
    ['offline', LIVE, 130_000],
    ['idle', { ...LIVE, running: false }, 100_000],
    ['starting', { ...LIVE, receivedMs: undefined }, 7_999],
    ['offline', { ...LIVE, receivedMs: undefined }, 8_000],
    ['failed', { ...LIVE, receivedMs: undefined, trouble: 'upstream_not_authorized' }, 10],
    ['live', { ...LIVE, trouble: 'upstream_not_authorized' }, 101_000],
    ['failed', { ...LIVE, trouble: 'upstream_not_authorized' }, 110_000],
    ['stale', { ...LIVE, trouble: 'upstream_unavailable' }, 110_000],
    ['slate', { ...LIVE, slated: true }, 110_000],
    ['slate', { ...LIVE, slated: true, trouble: 'upstream_not_authorized' }, 500_000],
    ['live', { ...LIVE, slated: true }, 109_999],
    ['idle', { ...LIVE, slated: true, running: false }, 500_000],
  ] as const)('%s', (state, signs, nowMs) => {
    expect(stateOf(signs, RULES, nowMs)).toBe(state)
  })
})
