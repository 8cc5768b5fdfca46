import { expect, test } from 'vitest'
import type { FetchedTrack } from '../../src/ingest/fetch-fragment.ts'
import { OneClock } from '../../src/sources/one-clock.ts'

/** A track of a fragment of two seconds. */
function track(rendition: 'video' | 'audio', timescale: number, baseTicks: number): FetchedTrack {
  const init = { id: rendition, rendition, codec: 'x', timescale, trackId: 1 }
  const facts = { init, baseTicks, durationTicks: 2 * timescale, samples: 1, bytes: 0 }
  return { rendition, initBytes: Buffer.alloc(0), bytes: Buffer.alloc(0), facts }
}

/** Where the sound of each fragment is put, in seconds behind its picture. */
function apart(sound: (startS: number) => number, clock = new OneClock()): readonly number[] {
  return [0, 2, 4, 6, 8].map((startS) => {
    const pair = [
      track('video', 12_800, startS * 12_800),
      track('audio', 48_000, Math.round(sound(startS) * 48_000)),
    ]
    const [video, audio] = clock.align(pair).map(({ facts }) => facts)
    return (audio?.baseTicks ?? 0) / 48_000 - (video?.baseTicks ?? 0) / 12_800
  })
}

test('sound that is beside its picture stays where it is', () => {
  expect(apart((startS) => startS + 0.5)).toEqual([0.5, 0.5, 0.5, 0.5, 0.5])
})

test('sound that counts from elsewhere begins with the picture, and goes on as it counts', () => {
  const drifts = apart((startS) => startS * 1.01 + 90_000)
  expect(drifts.map((one) => one.toFixed(2))).toEqual(['0.00', '0.02', '0.04', '0.06', '0.08'])
})

test('sound that wraps alone goes on', () => {
  const all = apart((startS) => startS + 0.25 - (startS < 4 ? 0 : 89_478))
  expect(all).toEqual([0.25, 0.25, 0.25, 0.25, 0.25])
})

test('sound alone stays on the clock that it was put on', () => {
  const clock = new OneClock()
  apart((startS) => startS + 3_600, clock)
  const [audio] = clock.align([track('audio', 48_000, 3_610 * 48_000)])
  expect(audio?.facts.baseTicks).toBe(10 * 48_000)
})
