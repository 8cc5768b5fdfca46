import fc from 'fast-check'
import { expect, test } from 'vitest'
import { BitReader } from '../../../src/formats/nal/bit-reader.ts'

/** ue(v): as many zeros as the number has bits after its first, then the number. */
function unsigned(value: number): string {
  const bits = (value + 1).toString(2)
  return bits.padStart(2 * bits.length - 1, '0')
}

const signed = (value: number): string => unsigned(value > 0 ? 2 * value - 1 : -2 * value)

/** The bits as bytes, with 03 wherever a start code could be seen. */
function escaped(bits: string): Buffer {
  const padded = `${bits}1`.padEnd(Math.ceil((bits.length + 1) / 8) * 8, '0')
  const bytes: number[] = []
  for (const byte of Buffer.from(
    (padded.match(/.{8}/g) ?? []).map((text) => Number.parseInt(text, 2)),
  )) {
    if (bytes.at(-1) === 0 && bytes.at(-2) === 0 && byte <= 3) bytes.push(3)
    bytes.push(byte)
  }
  return Buffer.from(bytes)
}

test('numbers come back as they were written, start codes escaped', () => {
  const numbers = fc.array(fc.integer({ min: 0, max: 2 ** 31 - 2 }), { maxLength: 20 })
  fc.assert(
    fc.property(numbers, (values) => {
      const bits = BitReader.ofUnit(escaped(values.map(unsigned).join('')))
      expect(values.map(() => bits.unsigned())).toEqual(values)
    }),
  )
})

test('signed numbers too', () => {
  const numbers = fc.array(fc.integer({ min: -(2 ** 29), max: 2 ** 29 }), { maxLength: 20 })
  fc.assert(
    fc.property(numbers, (values) => {
      const bits = BitReader.ofUnit(escaped(values.map(signed).join('')))
      expect(values.map(() => bits.signed() + 0)).toEqual(values)
    }),
  )
})

test('an end that comes too soon is an error', () => {
  expect(() => BitReader.ofUnit(Buffer.from([0x80])).bits(9)).toThrow('cut off')
  expect(() => BitReader.ofUnit(Buffer.alloc(2)).unsigned()).toThrow('cut off')
  expect(() => BitReader.ofUnit(Buffer.alloc(20, 0)).unsigned()).toThrow('without end')
})
