import fc from 'fast-check'
import { expect, test } from 'vitest'
import {
  decodeFragmentNumber,
  encodeFragmentNumber,
  nextConnection,
} from '../../../src/emulator/camera/fragment-number.ts'

test('real FragmentNumbers hold counter and server time', () => {
  expect(decodeFragmentNumber(91343852333181432392682062607743920146264487402n)).toMatchObject({
    counter: 1,
    serverMs: Date.parse('2017-11-28T06:55:09.127Z'),
  })
  expect(decodeFragmentNumber(91343852333185057105875891022195998207386831087n)).toMatchObject({
    counter: 732006,
    serverMs: Date.parse('2022-01-28T07:00:47.067Z'),
  })
})

test('the check value of the reference comes out', () => {
  const number = encodeFragmentNumber({
    counter: 1,
    serverMs: Date.UTC(2026, 0, 1),
    random: 0x1234567,
  })
  expect(number).toBe(91343852333181432392682062676295219618984969575n)
})

test('encoding and decoding are inverse, and numbers grow with the counter', () => {
  const counter = fc.nat(2 ** 31 - 1)
  const serverMs = fc.integer({ min: 0, max: 2 ** 42 })
  const random = fc.nat(2 ** 28 - 1)
  fc.assert(
    fc.property(fc.record({ counter, serverMs, random }), (parts) => {
      const number = encodeFragmentNumber(parts)
      expect(decodeFragmentNumber(number)).toEqual(parts)
      expect(String(number)).toHaveLength(47)
      const later = encodeFragmentNumber({ counter: parts.counter + 1, serverMs: 0, random: 0 })
      expect(later).toBeGreaterThan(number)
    }),
  )
})

test('what is no such number decodes to nothing', () => {
  expect(decodeFragmentNumber(0n)).toBeUndefined()
  expect(decodeFragmentNumber(2n ** 157n)).toBeUndefined()
})

test('a new connection counts from the next thousand', () => {
  expect([5, 1001, 1999, 4002].map(nextConnection)).toEqual([1001, 2001, 2001, 5001])
})
