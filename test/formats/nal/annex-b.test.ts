import fc from 'fast-check'
import { expect, test } from 'vitest'
import { lengthPrefixed, readAnnexB } from '../../../src/formats/nal/annex-b.ts'

/** No start code inside, nor a zero at the end: what emulation prevention and trailing bits see to. */
const unit = fc
  .uint8Array({ minLength: 1, maxLength: 40 })
  .map((bytes) => Buffer.from(bytes.map((byte) => Math.max(byte, 1))))
const zeros = fc.integer({ min: 2, max: 5 })

test('NAL units are found between start codes of any length', () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(zeros, unit), { minLength: 1, maxLength: 10 }), (units) => {
      const bytes = units.flatMap(([count, data]) => [Buffer.alloc(count), Buffer.from([1]), data])
      const found = [...readAnnexB(Buffer.concat(bytes))]
      expect(found.map(({ data }) => data.toString('hex'))).toEqual(
        units.map(([, data]) => data.toString('hex')),
      )
    }),
  )
})

test('each goes after its length', () => {
  const units = [Buffer.from('ab'), Buffer.from('c')]
  expect(lengthPrefixed(units).toString('hex')).toBe('00000002616200000001' + '63')
})

test.each([
  ['nothing', '', ''],
  ['no start code', '0102030405', ''],
  ['bytes before the first start code', '09000001ff', 'ff'],
  ['an empty unit', '000001000001ff', 'ff'],
  ['an empty last unit', '000001ff000001', 'ff'],
])('%s is passed over', (_, hex, found) => {
  const units = [...readAnnexB(Buffer.from(hex, 'hex'))]
  expect(units.map(({ data }) => data.toString('hex')).join()).toBe(found)
})

test('more units than a fragment can have are an error', () => {
  const bytes = Buffer.from('000001ff'.repeat(400_001), 'hex')
  expect(() => [...readAnnexB(bytes)]).toThrow('more than 400000 NAL units')
})
