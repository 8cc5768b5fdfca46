import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { recordedFacts, type SampleTracks } from '../../src/archive/recorded-facts.ts'
import type { SessionFragment } from '../../src/ingest/session-fragments.ts'
import type { PlacedBy, RecordedFacts } from '../../src/timeline/archive/place.ts'
import type { TrackFacts } from '../../src/timeline/fragment.ts'
import { SecretUrl } from '../../src/upstream/secret-url.ts'
import { AUDIO, START_MS, VIDEO } from '../support/camera.ts'

interface Camera {
  readonly sampleRate: number
  /** In ticks of 90 kHz. */
  readonly pictureTicks: number
  readonly pictures: number
  readonly count: number
  /** How far the dates are off the media. */
  readonly waveringMs?: number
}

interface Fragment {
  readonly listed: SessionFragment
  readonly tracks: Required<SampleTracks>
}

/** A camera without a seam: what KVS lists of it, and what its media say. */
function record({ sampleRate, pictureTicks, pictures, count, waveringMs = 0 }: Camera): Fragment[] {
  const frameMs = 1_024_000 / sampleRate
  const pictureMs = (pictureTicks * pictures) / 90
  return Array.from({ length: count }, (_, i) => {
    const [fromMs, toMs] = [i * pictureMs, (i + 1) * pictureMs]
    const [first, next] = [Math.ceil(fromMs / frameMs), Math.ceil(toMs / frameMs)]
    const video = trackOf(VIDEO, i * pictures * pictureTicks, pictureTicks, pictures)
    const audio = trackOf({ ...AUDIO, timescale: sampleRate }, first * 1024, 1024, next - first)
    const dateMs = Math.round(START_MS + fromMs + waveringMs * Math.sin(i * 7))
    const lists = [video, audio].map(({ durationTicks, init }) =>
      listed(i, dateMs, durationTicks / init.timescale),
    )
    return { listed: { number: BigInt(i), dateMs, lists }, tracks: { video, audio } }
  })
}

function trackOf(
  init: TrackFacts['init'],
  baseTicks: number,
  ticks: number,
  samples: number,
): TrackFacts {
  const steps = { lastTicks: ticks, shortestTicks: ticks, longestTicks: ticks, shrinkableTicks: 0 }
  return { init, baseTicks, durationTicks: ticks * samples, samples, bytes: 1, steps }
}

function listed(i: number, startMs: number, seconds: number) {
  const uri = new SecretUrl(new URL('https://kvs.test/hls/v1/fragment'))
  const durationS = Math.round(seconds * 1000) / 1000
  return { number: BigInt(i), startMs, durationS, discontinuity: undefined, uri, map: undefined }
}

function read(
  fragments: readonly Fragment[],
  sampled: readonly number[],
  placedBy: PlacedBy = 'dates',
): RecordedFacts[] {
  const samples = sampled.map((at) => [at, fragments[at]?.tracks ?? {}] as const)
  return recordedFacts(
    ['video', 'audio'],
    fragments.map(({ listed: each }) => each),
    new Map(samples),
    placedBy,
  )
}

function offsetOf({ video, audio }: Required<SampleTracks>): number {
  return (audio.baseTicks / audio.init.timescale) * 1000 - video.baseTicks / 90
}

const cameras = fc.record({
  sampleRate: fc.constantFrom(8_000, 16_000, 44_100, 48_000),
  // 15, 25, 30 a second, and 29.97.
  pictureTicks: fc.constantFrom(6_000, 3_600, 3_000, 3_003),
  pictures: fc.integer({ min: 30, max: 120 }),
  count: fc.integer({ min: 1, max: 400 }),
})

describe('a list of the past', () => {
  test('G4: tells how long sound and picture are, and where the sound begins, of what nobody fetched', () => {
    fc.assert(
      fc.property(cameras, (camera) => {
        const fragments = record(camera)
        const facts = read(fragments, [0])
        for (const [i, { tracks }] of facts.entries()) {
          const own = fragments[i]?.tracks
          if (own === undefined) throw new Error('more than there is')
          const lengths = [own.video, own.audio].map(
            ({ durationTicks, init }) => (durationTicks / init.timescale) * 1000,
          )
          expect(tracks.video?.lengthMs).toBeCloseTo(lengths[0] ?? 0, 3)
          expect(tracks.audio?.lengthMs).toBeCloseTo(lengths[1] ?? 0, 3)
          expect(tracks.audio?.offsetMs).toBeCloseTo(offsetOf(own), 3)
          expect(tracks.video?.offsetMs).toBe(0)
        }
      }),
      { numRuns: 60 },
    )
  })

  test('so it does by dates of arrival, which waver', () => {
    fc.assert(
      fc.property(cameras, (camera) => {
        const fragments = record({ ...camera, waveringMs: 20 })
        for (const [i, { tracks }] of read(fragments, [0], 'lengths').entries()) {
          const own = fragments[i]?.tracks
          expect(tracks.audio?.offsetMs).toBeCloseTo(own === undefined ? 0 : offsetOf(own), 3)
        }
      }),
      { numRuns: 30 },
    )
  })

  test('lengths that are wrong, and sound that was lost, lead no further away than a frame', () => {
    const wrong = fc.array(fc.integer({ min: -60, max: 60 }), { minLength: 5, maxLength: 60 })
    fc.assert(
      fc.property(wrong, (wrongMs) => {
        const fragments = record({
          sampleRate: 48_000,
          pictureTicks: 3_600,
          pictures: 50,
          count: wrongMs.length,
        }).map(({ listed: { lists, ...rest }, tracks }, i) => {
          const off = lists.map((each) =>
            each === undefined
              ? undefined
              : { ...each, durationS: each.durationS + (wrongMs[i] ?? 0) / 1000 },
          )
          return { listed: { ...rest, lists: off }, tracks }
        })
        for (const { tracks } of read(fragments, [0])) {
          expect(Math.abs(tracks.audio?.offsetMs ?? 99)).toBeLessThan(21.34 + 2)
        }
      }),
    )
  })
})
