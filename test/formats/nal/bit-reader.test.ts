import fc from 'fast-check'
import { expect, test } from 'vitest'
import { BitReader } from '../../../src/formats/nal/bit-reader.ts'
import { escaped, signed, unsigned } from '../../support/bits.ts'

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
