import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { readBoxes } from '../../../src/formats/mp4/boxes/box.ts'
import { readInit } from '../../../src/formats/mp4/init.ts'
import { readMedia } from '../../../src/formats/mp4/media.ts'
import { Mp4Error } from '../../../src/formats/mp4/mp4-error.ts'
import { ownMedia } from '../../../src/formats/mp4/own-form.ts'
import { ownInit } from '../../../src/formats/mp4/own-init.ts'
import { rewriteMedia } from '../../../src/formats/mp4/rewrite.ts'
import { readSamples } from '../../../src/formats/mp4/samples.ts'
import { lookAtPixels } from '../../proof/look-at-media.ts'
import { CLIPS, type ClipName, readClip } from '../../support/mp4.ts'
import {
  emsg,
  free,
  looseSamples,
  others,
  PACKINGS,
  type Packing,
  pack,
  SEVERAL_MOOFS,
  uuid,
  withInMoov,
  withTimescale,
} from '../../support/odd-packer.ts'
import { hasTool } from '../../support/tools.ts'

const EPOCH_S = Date.UTC(2026, 0, 1) / 1000

/** What is published of fragments, one after the other from the same second of the epoch. */
function publish(init: Buffer, fragments: readonly Buffer[]): { init: Buffer; bytes: Buffer } {
  const own = ownInit(init)
  const facts = readInit(own)
  const zero = readMedia(ownMedia(fragments[0] ?? init, facts), facts).baseTicks
  const media = fragments.map((fragment, i) => {
    const bytes = ownMedia(fragment, facts)
    const { baseTicks, startsWithSync } = readMedia(bytes, facts)
    expect(startsWithSync).toBe(true)
    const place = { baseTicks: EPOCH_S * facts.timescale + baseTicks - zero, sequenceNumber: i + 1 }
    return rewriteMedia(bytes, place)
  })
  for (const bytes of media) expectClean(bytes)
  return { init: own, bytes: Buffer.concat([own, ...media]) }
}

function expectClean(bytes: Buffer): void {
  const types = readBoxes(bytes).map(({ type }) => type)
  expect(types.filter((type) => !['styp', 'moof', 'mdat'].includes(type))).toEqual([])
  expect(bytes.includes('uuid')).toBe(false)
}

/** Times and checksums of all that ffmpeg decodes, in tenths of milliseconds from the first; and its complaints. */
async function decoded(file: Buffer): Promise<{ frames: string[]; warnings: readonly string[] }> {
  const { warnings, streams } = await lookAtPixels(file)
  const shown = streams.flatMap(({ frames }) => frames)
  const zeroS = shown[0]?.atS ?? 0
  const frames = shown.map(({ atS, checksum }) => `${Math.round((atS - zeroS) * 1e4)} ${checksum}`)
  return { frames, warnings }
}

function checksums(frames: readonly string[]): readonly (string | undefined)[] {
  return frames.map((frame) => frame.split(' ')[1])
}

describe.skipIf(!hasTool('ffmpeg'))(
  'as ffmpeg decodes them, they are the pictures of the source',
  () => {
    const name: ClipName = 'avc-bframes'
    const { init, fragments } = readClip(name)
    const control = decoded(publish(init, fragments.slice(0, 2)).bytes)

    test('the control plays', async () => {
      const { frames, warnings } = await control
      expect(warnings).toEqual([])
      expect(frames).toHaveLength(30)
    })

    test.concurrent.each(PACKINGS)('%s', async (_, packing) => {
      const packed = [0, 1].map((i) => pack(looseSamples(name, i), packing))
      const { frames, warnings } = await decoded(publish(init, packed).bytes)
      const expected = (await control).frames
      // Where several moof boxes stay, ffmpeg counts negative composition offsets from each one's start.
      const shown = packing === SEVERAL_MOOFS ? checksums : (all: readonly string[]) => all
      expect(shown(frames)).toEqual(shown(expected))
      expect(warnings).toEqual([])
    })

    const inits: readonly (readonly [string, Buffer])[] = [
      ['boxes around', Buffer.concat([uuid, free, init, ...others, emsg, uuid])],
      ['no ftyp', init.subarray(init.readUInt32BE(0))],
      [
        'moov before ftyp',
        Buffer.concat([
          init.subarray(init.readUInt32BE(0)),
          init.subarray(0, init.readUInt32BE(0)),
        ]),
      ],
      ['a first fragment behind it', Buffer.concat([init, ...fragments.slice(2, 3)])],
      ['boxes in its moov', withInMoov(init, Buffer.concat([uuid, free]))],
    ]
    test.concurrent.each(inits)('an init segment with %s', async (_, bytes) => {
      const published = publish(bytes, fragments.slice(0, 2))
      expect(readBoxes(published.init).map(({ type }) => type)).toEqual(['ftyp', 'moov'])
      expect((await decoded(published.bytes)).frames).toEqual((await control).frames)
    })

    const scales = [2 ** 32 - 1, 10_000_000, 2 ** 21, 90_000, 1_000].flatMap((timescale) => [
      [timescale, 'from 0', 0n] as const,
      [timescale, 'since 1970', BigInt(EPOCH_S) * BigInt(timescale)] as const,
      [timescale, 'before 0', -BigInt(timescale)] as const,
      [timescale, 'near 2^63', 2n ** 63n - 8n * BigInt(timescale)] as const,
    ])
    test('no time at all: each fragment begins at 0', () => {
      const packed = pack(looseSamples(name, 1), { withoutTime: true })
      const facts = readInit(init)
      const own = ownMedia(packed, facts)
      expectClean(own)
      expect(readSamples(own, facts).samples[0]?.startTicks).toBe(0)
    })

    test.concurrent.each(scales)('%i ticks a second, %s', async (timescale, _, shiftTicks) => {
      const packed = [0, 1].map((i) => pack(looseSamples(name, i, { timescale, shiftTicks })))
      const { frames, warnings } = await decoded(
        publish(withTimescale(init, timescale), packed).bytes,
      )
      const expected = (await control).frames
      expect(frames.map((frame) => frame.split(' ')[1])).toEqual(
        expected.map((frame) => frame.split(' ')[1]),
      )
      for (const [i, frame] of frames.entries()) {
        const [at, due] = [frame, expected[i] ?? ''].map((one) => Number(one.split(' ')[0]) / 10)
        // Milliseconds; a source that counts in them is off by up to two.
        expect(Math.abs((at ?? 0) - (due ?? 0))).toBeLessThan(timescale === 1_000 ? 2.1 : 0.2)
      }
      expect(warnings).toEqual([])
    })
  },
)

describe.skipIf(!hasTool('ffmpeg'))('as ffmpeg decodes it, it is the sound of the source', () => {
  const { init, fragments } = readClip('aac')
  const control = decoded(publish(init, fragments.slice(0, 2)).bytes)
  const cases: readonly (readonly [
    string,
    Parameters<typeof looseSamples>[2],
    Packing,
    boolean,
  ])[] = [
    ['frames that are said to depend on others', {}, {}, false],
    ['priming before 0', { shiftTicks: -1024n }, {}, true],
    [
      '100 ns ticks since 1970',
      { timescale: 1e7, shiftTicks: BigInt(EPOCH_S) * 10_000_000n },
      {},
      true,
    ],
    ['2^32 − 1 ticks a second', { timescale: 2 ** 32 - 1 }, { inTraf: [uuid] }, true],
  ]
  test.concurrent.each(cases)('%s', async (_, how, packing, isSync) => {
    const packed = [0, 1].map((i) =>
      pack(
        looseSamples('aac', i, how).map((sample) => ({ ...sample, isSync })),
        packing,
      ),
    )
    const source = how?.timescale === undefined ? init : withTimescale(init, how.timescale)
    const published = publish(source, packed)
    const { frames, warnings } = await decoded(published.bytes)
    expect(checksums(frames)).toEqual(checksums((await control).frames))
    expect(warnings).toEqual([])
    const facts = readInit(published.init)
    const own = packed.flatMap((bytes) => readSamples(ownMedia(bytes, facts), facts).samples)
    expect(own.every((sample) => sample.isSync)).toBe(true)
  })
})

test.each(CLIPS)('G1: %s has our form already, and keeps its bytes', (name) => {
  const { init, fragments } = readClip(name)
  expect(ownInit(init)).toBe(init)
  const facts = readInit(init)
  for (const fragment of fragments) expect(ownMedia(fragment, facts)).toBe(fragment)
})

test('what has been given our form keeps it, as a fragment that is fetched again must', () => {
  const kinds = fc.constantFrom(...PACKINGS.map(([, packing]) => packing))
  fc.assert(
    fc.property(kinds, fc.constantFrom(1_000, 90_000, 2 ** 21), (packing, timescale) => {
      const init = ownInit(withTimescale(readClip('avc-bframes').init, timescale))
      const facts = readInit(init)
      const packed = pack(looseSamples('avc-bframes', 1, { timescale }), packing)
      const once = ownMedia(packed, facts)
      expect(ownInit(init)).toBe(init)
      expect(ownMedia(once, facts)).toBe(once)
    }),
    { numRuns: 40 },
  )
})

test('a hole that is longer than pictures last is not stretched over', () => {
  const { init, fragments } = readClip('avc')
  const torn = Buffer.concat([fragments[0] ?? init, fragments[2] ?? init])
  expect(() => ownMedia(torn, readInit(init))).toThrow(Mp4Error)
  expect(() => ownMedia(torn, readInit(init))).toThrow(/step of 1 s/)
})
