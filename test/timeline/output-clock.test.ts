import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { FragmentFacts, RenditionName, Segment } from '../../src/timeline/fragment.ts'
import { Timeline } from '../../src/timeline/timeline.ts'
import { accept, type Base, Camera, START_MS } from '../support/camera.ts'

const OPTIONS = { window: 6, targetDurationFloorS: () => 2 }
const BASES: readonly Base[] = ['epoch', 'session', 'fragment']

interface Placed {
  readonly source: FragmentFacts
  readonly segment: Segment
}

function placeAll(
  fragments: Iterable<FragmentFacts>,
  timeline = Timeline.begin(OPTIONS),
): Placed[] {
  return [...fragments].map((source) => {
    const segment = accept(timeline, source)
    if (segment === undefined) throw new Error(`fragment ${source.number} was not taken`)
    return { source, segment }
  })
}

function startOf({ tracks }: Segment, name: RenditionName): number {
  const track = tracks[name]
  if (track === undefined) throw new Error(`no ${name}`)
  return (track.baseTicks / track.init.timescale) * 1000
}

/** Milliseconds between a track's end and its next start. */
function seams(placed: readonly Placed[], name: RenditionName): number[] {
  return placed.slice(1).map(({ segment }, i) => {
    const [before, now] = [placed[i]?.segment.tracks[name], segment.tracks[name]]
    if (before === undefined || now === undefined) throw new Error(`no ${name}`)
    const ticks = now.baseTicks - before.baseTicks - before.durationTicks
    return (ticks / now.init.timescale) * 1000
  })
}

/** Output start minus date, of the picture. */
function errors(placed: readonly Placed[]): number[] {
  return placed.map(({ source, segment }) => startOf(segment, 'video') - (source.startMs ?? 0))
}

/** How far sound and picture are apart at a fragment's start. */
function skew(tracks: { video?: { baseTicks: number }; audio?: { baseTicks: number } }): number {
  return (tracks.audio?.baseTicks ?? 0) / 48 - (tracks.video?.baseTicks ?? 0) / 90
}

function take(camera: Camera, count: number): FragmentFacts[] {
  return Array.from({ length: count }, () => camera.next())
}

describe('G2: whatever the base, time goes on as the samples say', () => {
  test.each(BASES)('tfdt from the %s: no seam, on the dates', (base) => {
    const camera = new Camera()
    camera.openSession(base)
    const placed = placeAll(take(camera, 20))
    expect(placed.map(({ segment }) => segment.discontinuity)).toEqual(Array(20).fill(undefined))
    expect(seams(placed, 'audio')).toEqual(Array(19).fill(0))
    for (const step of seams(placed, 'video')) expect(Math.abs(step)).toBeLessThan(1)
    for (const error of errors(placed)) expect(Math.abs(error)).toBeLessThan(1)
  })

  test.each(BASES.flatMap((from) => BASES.map((to) => [from, to] as const)))(
    'a roll-over from a tfdt of the %s to one of the %s cannot be seen',
    (from, to) => {
      const camera = new Camera()
      camera.openSession(from)
      const before = take(camera, 3)
      camera.openSession(to)
      const placed = placeAll([...before, ...take(camera, 3)])
      expect(placed.every(({ segment }) => segment.discontinuity === undefined)).toBe(true)
      for (const step of [...seams(placed, 'audio'), ...seams(placed, 'video')]) {
        expect(Math.abs(step)).toBeLessThan(1)
      }
    },
  )
})

test('out times are epoch-locked: a first fragment begins at its date', () => {
  for (const base of BASES) {
    const camera = new Camera()
    camera.openSession(base)
    const [placed] = placeAll(take(camera, 1))
    expect(placed?.segment.startMs).toBe(START_MS)
  }
})

test('after a gap the next fragment begins at its own date again', () => {
  for (const base of BASES) {
    const camera = new Camera()
    camera.openSession(base)
    const before = take(camera, 2)
    camera.lose(7300)
    const placed = placeAll([...before, ...take(camera, 1)])
    expect(placed.at(-1)?.segment.discontinuity).toBe('gap')
    expect(placed.at(-1)?.segment.startMs).toBe(placed.at(-1)?.source.startMs)
  }
})

const jitter = fc.integer({ min: -20, max: 20 })
const step = fc.record({ jitterMs: jitter, session: fc.option(fc.constantFrom(...BASES)) })

test('G2: jitter, drift and new sessions at random: no discontinuity, never 50 ms off', () => {
  const history = fc.array(step, { minLength: 2, maxLength: 200 })
  const driftMs = fc.double({ min: -2, max: 2, noNaN: true })
  fc.assert(
    fc.property(history, driftMs, (steps, drift) => {
      const camera = new Camera({ driftMs: drift })
      const sources = steps.map(({ jitterMs, session }) => {
        if (session !== null) camera.openSession(session)
        return camera.next({ jitterMs })
      })
      const placed = placeAll(sources)
      for (const { source, segment } of placed) {
        expect(segment.discontinuity).toBeUndefined()
        expect(Math.abs(skew(segment.tracks) - skew(source.tracks))).toBeLessThan(0.04)
      }
      for (const error of errors(placed)) expect(Math.abs(error)).toBeLessThan(50.02)
    }),
    { numRuns: 200 },
  )
})

test('G2: while dates are within 25 ms of the media, no seam in the sound reaches 1 ms', () => {
  const history = fc.array(step, { minLength: 2, maxLength: 200 })
  const ppm = fc.integer({ min: -100, max: 100 })
  fc.assert(
    fc.property(history, ppm, (steps, parts) => {
      const camera = new Camera({ driftMs: (2000 * parts) / 1e6 })
      const sources = steps.map(({ jitterMs, session }) => {
        if (session !== null) camera.openSession(session)
        return camera.next({ jitterMs })
      })
      for (const seam of seams(placeAll(sources), 'audio')) {
        expect(Math.abs(seam)).toBeLessThanOrEqual(0.5)
      }
    }),
    { numRuns: 200 },
  )
})

test('a drift of 100 ppm is followed for hours, in steps of less than a millisecond', () => {
  for (const driftMs of [0.2, -0.2]) {
    const placed = placeAll(take(new Camera({ driftMs }), 5000))
    for (const error of errors(placed)) expect(Math.abs(error)).toBeLessThan(6.6)
    for (const seam of seams(placed, 'audio')) expect(Math.abs(seam)).toBeLessThanOrEqual(0.5)
  }
})

/** The picture alone, on a timescale that divides its own. */
function coarsened(fragment: FragmentFacts, timescale: number): FragmentFacts {
  const { video } = fragment.tracks
  if (video === undefined) throw new Error('no video')
  const coarse = (ticks: number): number => Math.round((ticks / 90_000) * timescale)
  const [baseTicks, durationTicks] = [coarse(video.baseTicks), coarse(video.durationTicks)]
  const init = { ...video.init, timescale }
  return { ...fragment, tracks: { video: { ...video, init, baseTicks, durationTicks } } }
}

test('coarse timescales are followed as well: a tick is a millisecond', () => {
  const sources = take(new Camera({ driftMs: 0.4 }), 1000)
  const placed = placeAll(sources.map((fragment) => coarsened(fragment, 1000)))
  for (const error of errors(placed)) expect(Math.abs(error)).toBeLessThan(8)
  for (const seam of seams(placed, 'video')) expect(Math.abs(seam)).toBeLessThanOrEqual(1)
})

test('a tick that is coarser than a seam may be is not spent before it must', () => {
  const sources = take(new Camera({ driftMs: 0.4 }), 300)
  const placed = placeAll(sources.map((fragment) => coarsened(fragment, 100)))
  expect(seams(placed, 'video').filter((seam) => seam !== 0).length).toBeLessThan(10)
  for (const error of errors(placed)) expect(Math.abs(error)).toBeLessThan(51)
})

test('sound that is missing within a fragment stays missing: the picture is not torn for it', () => {
  const camera = new Camera()
  const [first, second] = take(camera, 2)
  if (first === undefined || second?.tracks.audio === undefined) throw new Error('no audio')
  const { audio } = second.tracks
  const holed = { ...audio, baseTicks: audio.baseTicks + 24_000 }
  const late = { ...second, tracks: { ...second.tracks, audio: holed } }
  const placed = placeAll([first, late])
  expect(seams(placed, 'video')).toEqual([0])
  expect(seams(placed, 'audio')[0]).toBeCloseTo(500, 0)
})

test('without dates, fragments are joined, and a gap in tfdt is a gap', () => {
  const undated = (fragment: FragmentFacts): FragmentFacts => ({ ...fragment, startMs: undefined })
  const camera = new Camera()
  camera.openSession('session')
  const before = take(camera, 3)
  camera.lose(3000)
  const placed = placeAll([...before, ...take(camera, 2)].map(undated))
  expect(placed.map(({ segment }) => segment.discontinuity)).toEqual([
    undefined,
    undefined,
    undefined,
    'gap',
    undefined,
  ])
  expect(placed[0]?.segment.startMs).toBe(START_MS + 500)
  expect(seams(placed, 'video')).toEqual([0, 0, 3000, 0])
})

test('a time beyond 2^53 ticks is refused in words', () => {
  const [fragment] = take(new Camera({ audio: false }), 1)
  const { video } = fragment?.tracks ?? {}
  if (fragment === undefined || video === undefined) throw new Error('no video')
  const init = { ...video.init, timescale: 10_000_000 }
  const fine = { ...fragment, tracks: { video: { ...video, init } } }
  expect(() => Timeline.begin(OPTIONS).place(fine)).toThrow(/video would begin at tick/)
})
