import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { readAvcC, writeAvcC } from '../../../../src/formats/mp4/boxes/avc-c.ts'
import {
  type Box,
  readBoxes,
  readChildren,
  sliceBox,
} from '../../../../src/formats/mp4/boxes/box.ts'
import { readElst, writeElst } from '../../../../src/formats/mp4/boxes/elst.ts'
import { readHdlr, writeHdlr } from '../../../../src/formats/mp4/boxes/hdlr.ts'
import { readHvcC, writeHvcC } from '../../../../src/formats/mp4/boxes/hvc-c.ts'
import { readMfhd, writeMfhd } from '../../../../src/formats/mp4/boxes/mfhd.ts'
import { readSampleEntry } from '../../../../src/formats/mp4/boxes/sample-entry.ts'
import { findSampleEntry } from '../../../../src/formats/mp4/boxes/stsd.ts'
import { readTfdt, writeTfdt } from '../../../../src/formats/mp4/boxes/tfdt.ts'
import { readTfhd, writeTfhd } from '../../../../src/formats/mp4/boxes/tfhd.ts'
import { readTkhd, writeTkhd } from '../../../../src/formats/mp4/boxes/tkhd.ts'
import { readTrex, writeTrex } from '../../../../src/formats/mp4/boxes/trex.ts'
import { readTrun, writeTrun } from '../../../../src/formats/mp4/boxes/trun.ts'
import { Mp4Error } from '../../../../src/formats/mp4/mp4-error.ts'
import { CLIPS, MUXED, readClip, readMuxed } from '../../../support/mp4.ts'

/** A box that was read and written again. */
const AGAIN: Readonly<Record<string, (bytes: Buffer, box: Box) => Buffer>> = {
  avcC: (bytes, box) => writeAvcC(readAvcC(bytes, box)),
  elst: (bytes, box) => writeElst(readElst(bytes, box)),
  hdlr: (bytes, box) => writeHdlr(readHdlr(bytes, box)),
  hvcC: (bytes, box) => writeHvcC(readHvcC(bytes, box)),
  mfhd: (bytes, box) => writeMfhd(readMfhd(bytes, box)),
  tfdt: (bytes, box) => writeTfdt(readTfdt(bytes, box)),
  tfhd: (bytes, box) => writeTfhd(readTfhd(bytes, box)),
  tkhd: (bytes, box) => writeTkhd(readTkhd(bytes, box)),
  trex: (bytes, box) => writeTrex(readTrex(bytes, box)),
  trun: (bytes, box) => writeTrun(readTrun(bytes, box)),
}

const PARENTS = ['moov', 'trak', 'mdia', 'edts', 'mvex', 'moof', 'traf']

/** All boxes of a file that we read and write, with the file. */
function boxesOf(file: Buffer): { readonly file: Buffer; readonly box: Box }[] {
  const walk = (boxes: readonly Box[]): Box[] =>
    boxes.flatMap((one) => [
      one,
      ...(PARENTS.includes(one.type) ? walk(readChildren(file, one)) : []),
    ])
  const all = walk(readBoxes(file))
  if (all.filter(({ type }) => type === 'trak').length === 1) {
    all.push(...readSampleEntry(file, findSampleEntry(file)).boxes)
  }
  return all.filter(({ type }) => Object.hasOwn(AGAIN, type)).map((box) => ({ file, box }))
}

const files = [
  ...CLIPS.map((name) => {
    const { init, fragments } = readClip(name)
    return Buffer.concat([init, ...fragments])
  }),
  ...MUXED.map((name) => readMuxed(name).file),
]
const real = files.flatMap(boxesOf)

function nothing(): never {
  throw new Error('no such box')
}

describe.each(Object.entries(AGAIN))('%s', (type, again) => {
  const own = real.filter(({ box }) => box.type === type)

  test('as ffmpeg writes it, it is written as it was read', () => {
    expect(own.length).toBeGreaterThan(0)
    for (const { file, box } of own) expect(again(file, box)).toEqual(sliceBox(file, box))
  })

  test('whatever the bytes: what was written is read the same, or it is an Mp4Error', () => {
    const edits = fc.array(fc.tuple(fc.nat(), fc.integer({ min: 0, max: 255 })), { maxLength: 5 })
    fc.assert(
      fc.property(fc.nat(own.length - 1), edits, fc.nat(20), (which, changes, cut) => {
        const { file, box } = own[which] ?? nothing()
        const bytes = Buffer.from(sliceBox(file, box))
        for (const [at, value] of changes) bytes.writeUInt8(value, 8 + (at % (bytes.length - 8)))
        const size = bytes.length - Math.min(cut, bytes.length - 8)
        const whole = { type, start: 0, size, headerSize: 8 }
        try {
          const once = again(bytes, whole)
          expect(once.length).toBeLessThanOrEqual(size + 4)
          const [written] = readBoxes(once)
          expect(written).toMatchObject({ type, size: once.length })
          if (written !== undefined) expect(again(once, written)).toEqual(once)
        } catch (error) {
          expect(error).toBeInstanceOf(Mp4Error)
        }
      }),
      { numRuns: 200 },
    )
  })
})

test('optional fields of tfhd and trun stand in the order of their flags', () => {
  const word = fc.integer({ min: 0, max: 2 ** 32 - 1 })
  const optional = fc.option(word, { nil: undefined })
  fc.assert(
    fc.property(
      word,
      fc.option(fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }), { nil: undefined }),
      optional,
      optional,
      optional,
      optional,
      (trackId, baseDataOffset, descriptionIndex, defaultDuration, defaultSize, defaultFlags) => {
        const present = {
          baseDataOffset,
          descriptionIndex,
          defaultDuration,
          defaultSize,
          defaultFlags,
        }
        const bits = [0x1, 0x2, 0x8, 0x10, 0x20]
        const flags = Object.values(present).reduce<number>(
          (sum, value, i) => sum + (value === undefined ? 0 : (bits[i] ?? 0)),
          0x20000,
        )
        const written = writeTfhd({ flags, trackId, ...present })
        const box = { type: 'tfhd', start: 0, size: written.length, headerSize: 8 }
        expect(readTfhd(written, box)).toEqual({ flags, trackId, ...present })
        const fields = Object.values(present).filter((value) => value !== undefined)
        const at = 16 + (baseDataOffset === undefined ? 0 : 8)
        const first = baseDataOffset === undefined ? fields[0] : fields[1]
        if (first !== undefined) expect(BigInt(written.readUInt32BE(at))).toBe(BigInt(first))
      },
    ),
  )
})
