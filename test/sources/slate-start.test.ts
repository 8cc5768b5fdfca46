import { expect, test } from 'vitest'
import { lookBack } from '../../src/sources/slate-start.ts'
import type { Segment, SegmentTrack } from '../../src/timeline/fragment.ts'
import { AUDIO, VIDEO } from '../support/camera.ts'

const video: SegmentTrack = {
  init: VIDEO,
  baseTicks: 900_000,
  durationTicks: 180_000,
  samples: 50,
  bytes: 10_000,
  id: 'v',
}
const audio: SegmentTrack = {
  init: AUDIO,
  baseTicks: 480_000,
  durationTicks: 96_256,
  samples: 94,
  bytes: 1_000,
  id: 'a',
}

function segment(msn: number, over: Partial<Segment> = {}): Segment {
  const startMs = 10_000 + msn * 2_000
  return {
    msn,
    dsn: 0,
    source: 'camera',
    number: BigInt(msn),
    discontinuity: undefined,
    startMs,
    durationMs: 2_000,
    receivedMs: startMs + 3_500,
    tracks: { video, audio },
    ...over,
  }
}

const bytes = Buffer.from('init')
const inits = () => bytes

test('a slate follows where the last segment ends, at the pace of the camera', () => {
  const late = segment(1, { receivedMs: 99_000 })
  expect(lookBack([segment(0), late], inits)).toEqual({
    media: {
      video: VIDEO,
      audio: { init: AUDIO, initBytes: bytes, frameTicks: 1024 },
    },
    lengthMs: 2_000,
    endMs: 14_000,
    lagMs: 1_500,
    start: {},
  })
})

test('a slate that is shown already goes on where each of its tracks ends', () => {
  const slate = segment(1, { source: 'slate', durationMs: 1_900, receivedMs: 17_400 })
  const before = lookBack([segment(0), slate], inits)
  expect(before?.lengthMs).toBe(2_000)
  expect(before?.lagMs).toBe(1_500)
  expect(before?.start.video).toBeCloseTo(12_000, 6)
  expect(before?.start.audio).toBeCloseTo((576_256 / 48_000) * 1_000, 6)
})

test('a slate alone tells the pace too: it comes a segment later', () => {
  const slate = segment(0, { source: 'slate', receivedMs: 15_500 })
  expect(lookBack([slate], inits)?.lagMs).toBe(1_500)
})

test('nothing is known before the first segment, or of media that cannot be read', () => {
  expect(lookBack([], inits)).toBeUndefined()
  const unread = { ...video, opaque: { container: 'm4s', keys: [], mapKeys: [] } } as SegmentTrack
  expect(lookBack([segment(0, { tracks: { video: unread } })], inits)?.media).toEqual({
    video: undefined,
    audio: undefined,
  })
})

test('without its init segment a sound is left out', () => {
  const before = lookBack([segment(0)], () => undefined)
  expect(before?.media).toEqual({ video: VIDEO, audio: undefined })
})
