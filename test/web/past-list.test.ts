import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { clipPath, covers, listAt } from '../../src/web/pages/past-list.js'

const NOW = Date.UTC(2026, 10, 23, 12)
const MINUTE_MS = 60_000
const HOUR_MS = 60 * MINUTE_MS
const ALL = { dvrMs: 2 * HOUR_MS, archive: true }

describe('which list shows a moment', () => {
  test('within the DVR window it is that one', () => {
    expect(listAt(NOW - HOUR_MS, NOW, ALL)?.path).toBe('dvr.m3u8')
  })

  test('a little back without DVR it begins a minute earlier and follows the live picture', () => {
    const list = listAt(NOW - 10 * MINUTE_MS, NOW, { dvrMs: 0, archive: true })
    expect(list?.path).toBe('master.m3u8?start=2026-11-23T11:49:00.000Z')
    expect(list?.endMs).toBe(Number.POSITIVE_INFINITY)
  })

  test('far back it has an end, so that it stays short', () => {
    const list = listAt(NOW - 48 * HOUR_MS, NOW, ALL)
    expect(list?.path).toBe(
      'master.m3u8?start=2026-11-21T11:59:00.000Z&end=2026-11-21T13:00:00.000Z',
    )
  })

  test('without an archive there is the DVR window or nothing', () => {
    const dvrOnly = { dvrMs: HOUR_MS, archive: false }
    expect(listAt(NOW - 3 * HOUR_MS, NOW, dvrOnly)?.path).toBe('dvr.m3u8')
    expect(listAt(NOW - MINUTE_MS, NOW, { dvrMs: 0, archive: false })).toBeUndefined()
  })

  test('it always covers the moment, and not from its very end on', () => {
    const ages = fc.integer({ min: 0, max: 400 * HOUR_MS })
    const windows = fc.constantFrom(0, 10 * MINUTE_MS, 2 * HOUR_MS, 24 * HOUR_MS)
    fc.assert(
      fc.property(ages, windows, (age, dvrMs) => {
        const list = listAt(NOW - age, NOW, { dvrMs, archive: true })
        if (list === undefined) throw new Error('no list')
        expect(covers(list, NOW - age)).toBe(true)
        if (Number.isFinite(list.endMs)) expect(covers(list, list.endMs)).toBe(false)
      }),
    )
  })
})

test('a clip is the time up to the picture that is shown', () => {
  expect(clipPath('a b', NOW + 0.4, 30)).toBe(
    'clip/a%20b.mp4?start=2026-11-23T11:59:30.000Z&end=2026-11-23T12:00:00.000Z',
  )
})
