import fc from 'fast-check'
import { createFile, type ISOFile, MP4BoxBuffer } from 'mp4box'
import { describe, expect, test } from 'vitest'
import { readBoxes, readChildren, sliceBox, theOnly } from '../../../src/formats/mp4/boxes/box.ts'
import { type InitFacts, readInit } from '../../../src/formats/mp4/init.ts'
import { readMedia } from '../../../src/formats/mp4/media.ts'
import { Mp4Error } from '../../../src/formats/mp4/mp4-error.ts'
import { rewriteMedia } from '../../../src/formats/mp4/rewrite.ts'
import { readSamples } from '../../../src/formats/mp4/samples.ts'
import { box, CLIPS, type ClipName, mediaData, readClip } from '../../support/mp4.ts'

function clip(name: ClipName): { init: InitFacts; bytes: Buffer; fragments: readonly Buffer[] } {
  const { init, fragments } = readClip(name)
  const [, bytes] = fragments
  if (bytes === undefined) throw new Error(`${name} has one fragment`)
  return { init: readInit(init), bytes, fragments }
}

function readByMp4box(bytes: Buffer): ISOFile {
  const file = createFile(false)
  file.appendBuffer(MP4BoxBuffer.fromArrayBuffer(new Uint8Array(bytes).buffer, 0), true)
  return file
}

describe.each(CLIPS)('%s', (name) => {
  test('each sample is the one that mp4box sees', () => {
    const { init, fragments } = readClip(name)
    const seen = readByMp4box(Buffer.concat([init, ...fragments]))
    const expected = seen.getTrackSamplesInfo(readInit(init).trackId).map((sample) => ({
      startTicks: sample.dts,
      durationTicks: sample.duration,
      compositionTicks: sample.cts - sample.dts,
      bytes: sample.size,
      isSync: sample.is_sync,
    }))
    expect(expected.length).toBeGreaterThanOrEqual(60)
    expect(fragments.flatMap((bytes) => readSamples(bytes, readInit(init)).samples)).toEqual(
      expected,
    )
  })

  test('sums, times and bytes agree with the rest of us', () => {
    const { init, bytes } = clip(name)
    const { samples, pieces } = readSamples(bytes, init)
    const { baseTicks, durationTicks, samples: count, startsWithSync } = readMedia(bytes, init)
    const last = samples.at(-1)
    expect(samples).toHaveLength(count)
    expect(samples[0]).toMatchObject({ startTicks: baseTicks, isSync: startsWithSync })
    expect((last?.startTicks ?? 0) + (last?.durationTicks ?? 0)).toBe(baseTicks + durationTicks)
    expect(pieces.reduce((sum, piece) => sum + piece.samples, 0)).toBe(count)
    const data = Buffer.concat(pieces.map(({ start, end }) => bytes.subarray(start, end)))
    expect(data.equals(mediaData(bytes))).toBe(true)
  })

  test('a new place moves the start times and nothing else', () => {
    const { init, bytes } = clip(name)
    const baseTicks = 2 ** 46
    const [before, after] = [bytes, rewriteMedia(bytes, { baseTicks, sequenceNumber: 1 })].map(
      (fragment) => readSamples(fragment, init).samples,
    )
    const shift = baseTicks - (before?.[0]?.startTicks ?? 0)
    expect(after).toEqual(
      before?.map((sample) => ({ ...sample, startTicks: sample.startTicks + shift })),
    )
  })
})

test('runs that touch are one piece, chunks with a moof between them are not', () => {
  const { init, bytes } = clip('avc-multi')
  expect(readSamples(bytes, init).pieces).toHaveLength(5)
  expect(readSamples(clip('avc').bytes, init).pieces).toHaveLength(1)
})

describe('damage', () => {
  const { init, bytes } = clip('avc-bframes')

  test('a fragment cut off anywhere is refused', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: bytes.length - 1 }), (length) => {
        expect(() => readSamples(bytes.subarray(0, length), init)).toThrow(Mp4Error)
      }),
    )
  })

  test('a changed byte in the moof is read as something or refused, and costs no time', () => {
    const moofBytes = bytes.readUInt32BE(0)
    const place = fc.integer({ min: 0, max: moofBytes - 1 })
    fc.assert(
      fc.property(place, fc.integer({ min: 0, max: 255 }), (at, value) => {
        const damaged = Buffer.from(bytes)
        damaged.writeUInt8(value, at)
        try {
          const { samples, pieces } = readSamples(damaged, init)
          expect(samples.length).toBeLessThanOrEqual(100_000)
          for (const { end } of pieces) expect(end).toBeLessThanOrEqual(bytes.length)
        } catch (error) {
          expect(error).toBeInstanceOf(Mp4Error)
        }
      }),
      { numRuns: 400 },
    )
  })

  test('another track’s fragment', () => {
    expect(() => readSamples(bytes, { ...init, trackId: 9 })).toThrow(/track 1, expected 9/)
  })

  test('samples that share their bytes', () => {
    const { init: plain, bytes: fragment } = clip('avc')
    expect(() => readSamples(withRunTwice(fragment), plain)).toThrow(/share/)
  })
})

/** A second trun box for the same media data. */
function withRunTwice(fragment: Buffer): Buffer {
  const [moof, mdat] = readBoxes(fragment)
  if (moof === undefined || mdat === undefined) throw new Error('not a moof and an mdat')
  const inMoof = readChildren(fragment, moof)
  const traf = theOnly(inMoof, 'traf', 'moof')
  const inTraf = readChildren(fragment, traf)
  const run = Buffer.from(sliceBox(fragment, theOnly(inTraf, 'trun', 'traf')))
  run.writeInt32BE(run.readInt32BE(16) + run.length, 16)
  const others = inTraf.filter(({ type }) => type !== 'trun').map((one) => sliceBox(fragment, one))
  const rest = inMoof.filter(({ type }) => type !== 'traf').map((one) => sliceBox(fragment, one))
  const newTraf = box('traf', Buffer.concat([...others, run, run]))
  return Buffer.concat([box('moof', Buffer.concat([...rest, newTraf])), sliceBox(fragment, mdat)])
}
