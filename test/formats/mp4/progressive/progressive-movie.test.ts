import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { readBoxes } from '../../../../src/formats/mp4/boxes/box.ts'
import { readInit } from '../../../../src/formats/mp4/init.ts'
import { Mp4Error } from '../../../../src/formats/mp4/mp4-error.ts'
import {
  type LiteralSample,
  literalFragment,
  literalInit,
} from '../../../support/literal-fragment.ts'
import {
  assemble,
  layOut,
  type MovieFragment,
  type SeenTrack,
  seeMovie,
} from '../../../support/movie-file.ts'
import { CLIPS, readClip } from '../../../support/mp4.ts'

/** 2026-01-01, in seconds. */
const EPOCH_S = Date.UTC(2026, 0, 1) / 1000

function whole(fragments: readonly MovieFragment[]): {
  readonly file: Buffer
  readonly tracks: readonly SeenTrack[]
} {
  const file = assemble(layOut(fragments), fragments)
  return { file, tracks: seeMovie(file) }
}

interface PlannedFragment {
  /** Between the end of the fragment before and its own start. */
  readonly gapTicks: number
  readonly samples: readonly LiteralSample[]
}

const sample = fc.record({
  durationTicks: fc.integer({ min: 1, max: 20_000 }),
  compositionTicks: fc.integer({ min: -20_000, max: 20_000 }),
  bytes: fc.integer({ min: 0, max: 300 }),
  isSync: fc.boolean(),
})
const plan = fc.array(
  fc.record({
    gapTicks: fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 10_000_000 })),
    samples: fc.array(sample, { minLength: 1, maxLength: 12 }),
  }),
  { minLength: 1, maxLength: 8 },
)
const timescale = fc.constantFrom(600, 1000, 15_360, 44_100, 48_000, 90_000)

/** One track's fragments, one after the other but for the planned gaps. */
function lay(
  kind: 'video' | 'audio',
  planned: readonly PlannedFragment[],
  ticks: number,
  startS = EPOCH_S,
): { fragments: MovieFragment[]; starts: number[] } {
  const init = literalInit(kind === 'video' ? 'avc' : 'aac', ticks)
  const starts: number[] = []
  let at = Math.round(startS * ticks)
  const fragments = planned.map(({ gapTicks, samples }, i) => {
    at += gapTicks
    const bytes = literalFragment(init, at, samples, i + 1)
    for (const { durationTicks } of samples) {
      starts.push(at)
      at += durationTicks
    }
    return [{ ...init, bytes }]
  })
  return { fragments, starts: [...starts, at] }
}

test('each sample is where, when and as large as it was recorded', () => {
  fc.assert(
    fc.property(fc.constantFrom('video', 'audio'), plan, timescale, (kind, planned, ticks) => {
      const { fragments, starts } = lay(kind, planned, ticks)
      const { file, tracks } = whole(fragments)
      const [track] = tracks
      const samples = planned.flatMap((fragment) => fragment.samples)
      const [zero = 0] = starts
      const shift = (track?.samples[0]?.cts ?? 0) - (samples[0]?.compositionTicks ?? 0)
      expect(tracks).toHaveLength(1)
      expect(track?.timescale).toBe(ticks)
      expect(
        track?.samples.map(({ dts, cts, duration, size }) => ({ dts, cts, duration, size })),
      ).toEqual(
        samples.map(({ bytes, compositionTicks }, i) => {
          const dts = (starts[i] ?? 0) - zero
          const duration = (starts[i + 1] ?? 0) - (starts[i] ?? 0)
          return { dts, cts: dts + compositionTicks + shift, duration, size: bytes }
        }),
      )
      // Presentation begins with the earliest picture of the first fragment, and not before the file does.
      const first = track?.samples.slice(0, planned[0]?.samples.length) ?? []
      expect(track?.firstTicks).toBe(Math.min(...first.map(({ cts }) => cts)))
      expect(track?.firstTicks).toBeGreaterThanOrEqual(0)
      const fills = planned.flatMap((fragment, i) => fragment.samples.map(() => i + 1))
      for (const [i, { offset, size }] of (track?.samples ?? []).entries()) {
        expect(file.subarray(offset, offset + size)).toEqual(Buffer.alloc(size, fills[i]))
      }
      if (kind === 'video') {
        expect(track?.samples.map(({ is_sync }) => is_sync)).toEqual(
          samples.map(({ isSync }) => isSync),
        )
      }
    }),
  )
})

test('sound and picture start as far apart as they were recorded', () => {
  const offset = fc.integer({ min: -5_000, max: 5_000 })
  fc.assert(
    fc.property(plan, plan, timescale, timescale, offset, (video, audio, v, a, offsetMs) => {
      const picture = lay('video', video, v)
      const sound = lay('audio', audio, a, EPOCH_S + offsetMs / 1000)
      const count = Math.max(video.length, audio.length)
      const fragments = Array.from({ length: count }, (_, i) => [
        ...(picture.fragments[i] ?? []),
        ...(sound.fragments[i] ?? []),
      ])
      const { tracks } = whole(fragments)
      expect(tracks.map(({ kind }) => kind)).toEqual(['video', 'audio'])
      const presented = (planned: readonly PlannedFragment[], start: readonly number[]): number =>
        Math.min(
          ...(planned[0]?.samples ?? []).map(
            ({ compositionTicks }, i) => (start[i] ?? 0) + compositionTicks,
          ),
        )
      const apartS = presented(audio, sound.starts) / a - presented(video, picture.starts) / v
      const [first, second] = tracks
      expect((second?.startS ?? 0) - (first?.startS ?? 0)).toBeCloseTo(apartS, 4)
      expect(Math.min(first?.startS ?? 0, second?.startS ?? 0)).toBe(0)
    }),
  )
})

const steady = (count: number, durationTicks: number): LiteralSample[] =>
  Array.from({ length: count }, (_, i) => ({
    durationTicks,
    compositionTicks: 0,
    bytes: 10,
    isSync: i === 0,
  }))

const video = literalInit('avc', 90_000)
const audio = literalInit('aac', 48_000)

/** A second of 25 pictures and 48 blocks of sound that begins so many seconds after the epoch. */
function second(
  atS: number,
  kinds: readonly ('video' | 'audio')[] = ['video', 'audio'],
): MovieFragment {
  const at = EPOCH_S + atS
  const both = [
    { ...video, bytes: literalFragment(video, Math.round(at * 90_000), steady(25, 3_600)) },
    { ...audio, bytes: literalFragment(audio, Math.round(at * 48_000), steady(48, 1_000)) },
  ]
  return both.filter(({ init }) => kinds.includes(init.rendition))
}

function startsS(track: SeenTrack | undefined, everyNth: number): number[] {
  return (track?.samples ?? [])
    .filter((_, i) => i % everyNth === 0)
    .map(({ dts }) => dts / (track?.timescale ?? 1))
}

describe('breaks', () => {
  test('before a gap the last picture and the last block of sound stay for as long as it is', () => {
    const { tracks } = whole([second(0), second(1), second(12)])
    expect(startsS(tracks[0], 25)).toEqual([0, 1, 12])
    expect(startsS(tracks[1], 48)).toEqual([0, 1, 12])
    expect(tracks.map(({ durationS }) => durationS)).toEqual([13, 13])
  })

  test('a track that is missing for a while leaves a hole of its own', () => {
    const { tracks } = whole([second(0), second(1, ['video']), second(2)])
    expect(startsS(tracks[0], 25)).toEqual([0, 1, 2])
    expect(startsS(tracks[1], 48)).toEqual([0, 2])
  })

  test('a track that appears later starts later', () => {
    const { tracks } = whole([second(0, ['video']), second(1)])
    expect(tracks.map(({ startS }) => startS)).toEqual([0, 1])
  })

  test('small overlaps move nothing but the end of the last sample', () => {
    const { tracks } = whole([second(0), second(0.97), second(1.97)])
    expect(startsS(tracks[0], 25)).toEqual([0, 0.97, 1.97])
    for (const [i, at] of [0, 0.97, 1.97].entries()) {
      expect(startsS(tracks[1], 48)[i]).toBeCloseTo(at, 1)
    }
  })

  test('a clock that goes back: the rest plays later, both tracks alike, until a gap makes up for it', () => {
    const { tracks } = whole([second(10), second(11), second(0), second(1), second(30)])
    expect(startsS(tracks[0], 25)).toEqual([0, 1, 2, 3, 20])
    expect(startsS(tracks[1], 48)).toEqual([0, 1, 2, 3, 20])
  })

  test('decode times never go back, whatever overlaps', () => {
    const starts = fc.array(fc.integer({ min: 0, max: 5_000 }), { minLength: 2, maxLength: 10 })
    fc.assert(
      fc.property(starts, (ms) => {
        const { tracks } = whole(ms.map((at) => second(at / 1000)))
        for (const { samples } of tracks) {
          for (const [i, { dts, cts, duration }] of samples.entries()) {
            expect(duration).toBeGreaterThanOrEqual(0)
            expect(dts).toBeGreaterThanOrEqual(samples[i - 1]?.dts ?? 0)
            expect(cts).toBe(dts)
          }
        }
        const [pictures, blocks] = [startsS(tracks[0], 25), startsS(tracks[1], 48)]
        for (const [i, at] of pictures.entries()) expect(blocks[i]).toBeCloseTo(at, 1)
      }),
    )
  })
})

describe('changes', () => {
  test('an init that changes is a sample entry of its own; one that comes back is not', () => {
    const other = literalInit('avc-bframes', 90_000)
    const changed = { ...other, bytes: second(1)[0]?.bytes ?? Buffer.alloc(0) }
    const { tracks } = whole([second(0, ['video']), [changed], second(2, ['video'])])
    expect(tracks[0]?.descriptions).toBe(2)
    const { samples = [] } = tracks[0] ?? {}
    expect(samples.map(({ size }) => size > 10)).toEqual(
      // From the change on, pictures where decoding can begin bring their parameter sets.
      Array.from({ length: 75 }, (_, i) => i === 25 || i === 50),
    )
    const used = tracks[0]?.samples.map(({ description_index: index }) => index)
    expect(used).toEqual([0, 1, 0].flatMap((index) => Array.from({ length: 25 }, () => index)))
  })

  test('another timescale is rounded to the first one, and the error does not add up', () => {
    const odd = literalInit('aac', 44_100)
    const odder = Array.from({ length: 60 }, (_, i) => {
      const bytes = literalFragment(odd, (EPOCH_S + 1 + i) * 44_100, steady(44, 1_002))
      return [{ ...odd, bytes }]
    })
    const { tracks } = whole([second(0, ['audio']), ...odder])
    expect(tracks[0]?.timescale).toBe(48_000)
    expect(tracks[0]?.samples.at(-44)?.dts).toBe(60 * 48_000)
  })

  test('a timescale too fine for the length is coarser in the file', () => {
    const fine = literalInit('avc', 4_000_000)
    const fragments = [0, 3_000].map((s) => [
      { ...fine, bytes: literalFragment(fine, (EPOCH_S + s) * 4_000_000, steady(10, 400_000)) },
    ])
    const { tracks } = whole(fragments)
    expect(startsS(tracks[0], 10)).toEqual([0, expect.closeTo(3_000, 5)])
  })
})

test('the index comes first, and the media data fill the rest', () => {
  const fragments = [second(0), second(1)]
  const layout = layOut(fragments)
  const file = assemble(layout, fragments)
  expect(readBoxes(file).map(({ type }) => type)).toEqual(['ftyp', 'moov', 'mdat'])
  expect(layout.size).toBe(file.length)
  let at = layout.head.length
  for (const { offset, length } of layout.pieces) {
    expect(offset).toBe(at)
    at += length
  }
  expect(at).toBe(layout.size)
})

test('past 4 GB places have 64 bits', () => {
  const init = literalInit('avc', 90_000)
  const bytes = literalFragment(init, EPOCH_S * 90_000, [
    { durationTicks: 90_000, compositionTicks: 0, bytes: 2 ** 20, isSync: true },
  ])
  const fragments = Array.from({ length: 4_100 }, () => [{ ...init, bytes }])
  const layout = layOut(fragments)
  expect(layout.size).toBeGreaterThan(2 ** 32)
  expect(layout.head.includes('co64')).toBe(true)
  expect(layout.head.includes('stco')).toBe(false)
  const co64 = layout.head.indexOf('co64')
  expect(layout.head.readUInt32BE(co64 + 8)).toBe(4_100)
  const last = layout.head.readBigUInt64BE(co64 + 12 + 8 * 4_099)
  expect(Number(last)).toBe(layout.pieces.at(-1)?.offset)
  const mdat = layout.head.subarray(-16)
  expect([mdat.readUInt32BE(0), mdat.toString('latin1', 4, 8)]).toEqual([1, 'mdat'])
  expect(Number(mdat.readBigUInt64BE(8))).toBe(layout.size - layout.head.length + 16)
})

test('a movie of nothing is refused', () => {
  expect(() => layOut([])).toThrow(Mp4Error)
})

test.each(CLIPS)('%s: each sample is the one of the fragments', (name) => {
  const { init: initBytes, fragments } = readClip(name)
  const init = readInit(initBytes)
  const { tracks } = whole(fragments.map((bytes) => [{ init, initBytes, bytes }]))
  const before = seeMovie(Buffer.concat([initBytes, ...fragments]))
  const shape = ({ samples }: SeenTrack): object =>
    samples.map(({ dts, cts, size, is_sync, duration }) => ({ dts, cts, size, is_sync, duration }))
  expect(tracks.map(shape)).toEqual(before.map(shape))
  expect(tracks[0]?.codec).toBe(init.codec)
})
