import { describe, expect, test } from 'vitest'
import { type InitFacts, readInit } from '../../../../src/formats/mp4/init.ts'
import { readMedia } from '../../../../src/formats/mp4/media.ts'
import type { MovieFragmentTrack } from '../../../../src/formats/mp4/progressive/progressive-movie.ts'
import { rewriteMedia } from '../../../../src/formats/mp4/rewrite.ts'
import { decodeWithoutWarning } from '../../../proof/decode.ts'
import { lookAt } from '../../../proof/look-at-media.ts'
import { assemble, layOut, type MovieFragment } from '../../../support/movie-file.ts'
import { type ClipName, readClip } from '../../../support/mp4.ts'
import { hasTool } from '../../../support/tools.ts'

const EPOCH_S = Date.UTC(2026, 0, 1) / 1000

/** A clip's fragments at their own times, so many seconds after the epoch. */
function track(name: ClipName, atS = 0): MovieFragmentTrack[] {
  const { init: initBytes, fragments } = readClip(name)
  const init = readInit(initBytes)
  return fragments.map((fragment) => {
    const own = readMedia(fragment, init).baseTicks
    const baseTicks = own + Math.round((EPOCH_S + atS) * init.timescale)
    return { init, initBytes, bytes: rewriteMedia(fragment, { baseTicks, sequenceNumber: 1 }) }
  })
}

function movie(...tracks: readonly MovieFragmentTrack[][]): Buffer {
  const count = Math.max(...tracks.map(({ length }) => length))
  const fragments: MovieFragment[] = Array.from({ length: count }, (_, i) =>
    tracks.flatMap((fragmentsOfOne) => fragmentsOfOne[i] ?? []),
  )
  return assemble(layOut(fragments), fragments)
}

interface Packet {
  readonly ptsS: number
  readonly dtsS: number
  readonly bytes: number
  readonly key: boolean
}

/** As ffmpeg sees them, edit lists applied. */
async function packets(bytes: Buffer, kind: InitFacts['rendition']): Promise<Packet[]> {
  const { warnings, streams } = await lookAt(bytes)
  expect(warnings).toEqual([])
  return streams
    .filter(({ type }) => type === kind)
    .flatMap(({ tickS, packets: all }) =>
      all.map(({ pts, dts, ...rest }) => ({
        ptsS: pts * tickS,
        dtsS: dts * tickS,
        bytes: rest.bytes,
        key: rest.key,
      })),
    )
}

/** The fragments as they are, behind their init segment. */
function fragmented(fragments: readonly MovieFragmentTrack[]): Buffer {
  const [first] = fragments
  return Buffer.concat([
    first?.initBytes ?? Buffer.alloc(0),
    ...fragments.map(({ bytes }) => bytes),
  ])
}

describe.skipIf(!hasTool('ffmpeg'))('ffmpeg judges', () => {
  test.concurrent.each([
    ['pictures and sound', ['avc', 'aac']],
    ['pictures with B-frames and sound', ['avc-bframes', 'aac']],
    ['several moof boxes a fragment', ['avc-multi', 'aac']],
    ['H.265', ['hevc', 'aac']],
    ['pictures alone', ['avc-bframes']],
    ['sound alone', ['aac']],
  ] as const)('%s: packet by packet what the fragments are', async (_, names) => {
    const tracks = names.map((name) => track(name))
    const file = movie(...tracks)
    for (const fragments of tracks) {
      const kind = fragments[0]?.init.rendition ?? 'video'
      const [expected, got] = await Promise.all([
        packets(fragmented(fragments), kind),
        packets(file, kind),
      ])
      // All clips begin at the same time, and so must the tracks. What ffmpeg says of the fragments is good
      // for distances only: it delays fragmented media with negative composition offsets.
      expect(got[0]?.ptsS).toBeCloseTo(0, 3)
      const zeroS = expected[0]?.ptsS ?? 0
      expect(got).toHaveLength(expected.length)
      for (const [i, { ptsS, dtsS, ...rest }] of expected.entries()) {
        expect(got[i]).toMatchObject(rest)
        expect(got[i]?.ptsS).toBeCloseTo(ptsS - zeroS, 3)
        expect(got[i]?.dtsS).toBeCloseTo(dtsS - zeroS, 3)
      }
    }
  })

  test.concurrent.each([
    ['pictures and sound', movie(track('avc-bframes'), track('aac'))],
    ['sound that starts later', movie(track('avc'), track('aac', 0.3))],
    ['pictures that start later', movie(track('avc-bframes', 0.2), track('aac'))],
    [
      'a gap of ten seconds',
      movie([...track('avc'), ...track('avc', 14)], [...track('aac'), ...track('aac', 14)]),
    ],
    ['H.265', movie(track('hevc'), track('aac'))],
    [
      'a change of parameter sets, twice',
      movie([...track('avc'), ...track('avc-bframes', 4), ...track('avc', 8)]),
    ],
  ])('%s: every frame decodes without a warning', async (name, file) => {
    const { warnings, streams } = await decodeWithoutWarning(file)
    expect(warnings).toEqual([])
    const times = name.startsWith('a gap') ? 2 : name.startsWith('a change') ? 3 : 1
    expect(streams[0]).toMatchObject({ type: 'video', frames: 60 * times })
    if (streams.length > 1) {
      expect(streams[1]).toMatchObject({ type: 'audio', frames: streams[1]?.packets })
    }
    const [video, audio] = streams
    if (name === 'sound that starts later') expect(audio?.startS).toBeCloseTo(0.3, 2)
    if (name === 'pictures that start later') expect(audio?.startS).toBeCloseTo(0, 2)
    if (name === 'a gap of ten seconds') expect(video?.endS).toBeCloseTo(18, 1)
  })
})
