import { expect, test } from 'vitest'
import { accessUnits } from '../../../src/formats/nal/access-units.ts'

/** Writes bits as a NAL unit; none of these needs emulation prevention. */
function unit(header: number, bits: string): Buffer {
  const padded = `${bits}1`.padEnd(Math.ceil((bits.length + 1) / 8) * 8, '0')
  const bytes = padded.match(/.{8}/g)?.map((byte) => Number.parseInt(byte, 2)) ?? []
  return Buffer.from([header, ...bytes])
}

/** Baseline, fields allowed, four bits of frame_num: ISO/IEC 14496-10, 7.3.2.1.1. */
const SEQUENCE = unit(
  0x67,
  ['01000010', '00000000', '00011110', '1', '1', '011', '1', '0', '00101', '011', '00100'].join(''),
)
const PICTURE = unit(0x68, '110')
const field = (number: string, isBottom: boolean): Buffer =>
  unit(0x41, `10111${number}1${isBottom ? '1' : '0'}0000`)
const frame = (number: string, first = '1'): Buffer => unit(0x41, `${first}0111${number}00000`)
const DELIMITER = Buffer.from([9, 0xf0])

const groups = (...units: readonly Buffer[]): readonly number[] =>
  accessUnits(
    'avc',
    units.map((data, at) => ({ at, data })),
  ).map((access) => access.units.length)

test('two fields of a frame are one picture, with or without a delimiter between them', () => {
  const pair = [field('0001', false), field('0001', true)] as const
  const next = [field('0010', false), field('0010', true)] as const
  expect(groups(SEQUENCE, PICTURE, ...pair, ...next)).toEqual([4, 2])
  expect(groups(SEQUENCE, PICTURE, pair[0], DELIMITER, pair[1], DELIMITER, ...next)).toEqual([5, 3])
})

test('a field alone, and fields of two frames, stay apart', () => {
  expect(groups(SEQUENCE, PICTURE, field('0001', false), field('0010', false))).toEqual([3, 1])
  expect(groups(SEQUENCE, PICTURE, field('0001', false), field('0010', true))).toEqual([3, 1])
})

test('slices belong to a picture until one is its first', () => {
  const more = '00100'
  expect(groups(SEQUENCE, PICTURE, frame('0001'), frame('0001', more), frame('0010'))).toEqual([
    4, 1,
  ])
  // The first slice of a picture was lost.
  expect(groups(SEQUENCE, PICTURE, frame('0001'), frame('0010', more))).toEqual([3, 1])
})

test('HEVC slices say themselves whether they begin a picture', () => {
  const slice = (isFirst: boolean): Buffer => Buffer.from([0x02, 0x01, isFirst ? 0x80 : 0x00, 0])
  const set = Buffer.from([0x42, 0x01, 0])
  const units = [set, slice(true), slice(false), set, slice(true), slice(true)]
  const found = accessUnits(
    'hevc',
    units.map((data, at) => ({ at, data })),
  )
  expect(found.map((access) => access.units.length)).toEqual([3, 2, 1])
})
