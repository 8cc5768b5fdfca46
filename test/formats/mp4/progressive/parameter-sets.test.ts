import fc from 'fast-check'
import { expect, test } from 'vitest'
import { sliceBox } from '../../../../src/formats/mp4/boxes/box.ts'
import { findSampleEntry } from '../../../../src/formats/mp4/boxes/stsd.ts'
import { Mp4Error } from '../../../../src/formats/mp4/mp4-error.ts'
import { parameterSetsOf } from '../../../../src/formats/mp4/progressive/parameter-sets.ts'
import { type ClipName, readClip } from '../../../support/mp4.ts'

function entryOf(name: ClipName): Buffer {
  const { init } = readClip(name)
  return sliceBox(init, findSampleEntry(init))
}

/** The first byte of each NAL unit behind a length of four bytes. */
function units(sets: Buffer): number[] {
  const first: number[] = []
  for (let at = 0; at < sets.length; at += 4 + sets.readUInt32BE(at)) {
    first.push(sets.readUInt8(at + 4))
  }
  return first
}

test('H.264: SPS and PPS', () => {
  expect(units(parameterSetsOf(entryOf('avc'))).map((byte) => byte & 31)).toEqual([7, 8])
})

test('H.265: VPS, SPS and PPS, and what else there is', () => {
  const types = units(parameterSetsOf(entryOf('hevc'))).map((byte) => (byte >> 1) & 63)
  expect(types.slice(0, 3)).toEqual([32, 33, 34])
})

test('damage is refused, or read as something of the entry’s size at most', () => {
  const damaged = fc.constantFrom<ClipName>('avc', 'hevc').chain((name) =>
    fc.record({
      entry: fc.constant(entryOf(name)),
      at: fc.integer({ min: 86, max: entryOf(name).length - 1 }),
      value: fc.integer({ min: 0, max: 255 }),
    }),
  )
  fc.assert(
    fc.property(damaged, ({ entry, at, value }) => {
      const copy = Buffer.from(entry)
      copy.writeUInt8(value, at)
      try {
        // A length has 16 bits there and up to 32 here.
        expect(parameterSetsOf(copy).length).toBeLessThan(2 * entry.length)
      } catch (error) {
        expect(error).toBeInstanceOf(Mp4Error)
      }
    }),
    { numRuns: 1000 },
  )
})
