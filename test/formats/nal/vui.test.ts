import { expect, test } from 'vitest'
import { readAvcSequence } from '../../../src/formats/nal/avc-parameter-sets.ts'
import { readHevcSequence, readHevcVui } from '../../../src/formats/nal/hevc-parameter-sets.ts'
import { escaped, fixed, signed, unsigned } from '../../support/bits.ts'

/** An H.265 sequence parameter set of 128 × 72 pixels, up to its bit depths. ISO/IEC 23008-2, 7.3.2.2.1. */
const HEAD = [
  fixed(16, 0x4201),
  fixed(4, 0),
  fixed(3, 0),
  '1',
  fixed(96, 0),
  ...[0, 1, 128, 72].map(unsigned),
  '0',
  ...[2, 2].map(unsigned),
]
/** Order counts of eight bits, one ordering, and the sizes of blocks. */
const SIZES = [unsigned(4), '1', ...[4, 2, 0, 0, 3, 0, 3, 0, 0].map(unsigned)]
const PLAIN = [...SIZES, '0', '11', '0', unsigned(0), '0', '11']

/** Lists that repeat others, and one of each size that is written. */
const LISTS = [
  '11',
  ...[0, 1, 2, 3].flatMap((size) => [
    '1',
    ...(size > 1 ? [signed(-3)] : []),
    ...Array.from({ length: size === 0 ? 16 : 64 }, (_, i) => signed(i % 5)),
    ...Array.from({ length: size === 3 ? 1 : 5 }, () => `0${unsigned(0)}`),
  ]),
]
/** Of two pictures, then of these and one more, of which the second is gone, then of what that one had. */
const REFERENCES = [
  unsigned(3),
  `${unsigned(1)}${unsigned(1)}${unsigned(0)}1${unsigned(0)}1`,
  `10${unsigned(0)}10001`,
  `11${unsigned(2)}1101`,
]
const PCM = ['1', fixed(4, 7), fixed(4, 7), unsigned(0), unsigned(2), '1']
const LONG_TERM = ['1', unsigned(2), fixed(8, 9), '1', fixed(8, 17), '0']
const ODD = [...SIZES, ...LISTS, '10', ...PCM, ...REFERENCES, ...LONG_TERM, '01']

/** Pixels of 40 to 33, overscan, and the transfer characteristics among the colours. */
const vui = (transfer: number): string[] => [
  `1${fixed(8, 255)}${fixed(16, 40)}${fixed(16, 33)}`,
  '10',
  `1${fixed(3, 5)}01${fixed(8, 9)}${fixed(8, transfer)}${fixed(8, 9)}`,
]
const SEEN = { pixelAspect: { horizontal: 40, vertical: 33 }, transfer: 16 }

test.each([
  ['little', PLAIN],
  ['scaling lists, PCM and predicted reference sets', ODD],
])('H.265: VUI parameters are found behind %s', (_, tools) => {
  const unit = (more: readonly string[]): Buffer => escaped([...HEAD, ...tools, ...more].join(''))
  expect(readHevcVui(unit(['1', ...vui(16)]))).toEqual(SEEN)
  expect(readHevcVui(unit(['0', '0']))).toBeUndefined()
  expect(readHevcVui(unit(['1', '0', '0', '0']))).toEqual({
    pixelAspect: undefined,
    transfer: undefined,
  })
  expect(readHevcSequence(unit(['1', ...vui(16)]))).toMatchObject({ width: 128, height: 72 })
})

test.each([
  ['x264', '6742c00ada109b016a12201280000003008000000a07891350', 16],
  ['x264, HLG', '6742c00ada109b016a12241280000003008000000a07891350', 18],
])('H.264: VUI parameters of %s', (_, hex, transfer) => {
  const { vui: read } = readAvcSequence(Buffer.from(hex, 'hex'))
  expect(read).toEqual({ pixelAspect: { horizontal: 1, vertical: 1 }, transfer })
})

test('H.265: those of x265, with sub-layer fields and emulation prevention', () => {
  const hex =
    '42010102200000030090000003000003001ea0208104d965654a4e1780b5091009040000030004000003002820'
  expect(readHevcVui(Buffer.from(hex, 'hex'))).toEqual({
    pixelAspect: { horizontal: 1, vertical: 1 },
    transfer: 16,
  })
})
