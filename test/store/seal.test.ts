import fc from 'fast-check'
import { expect, test } from 'vitest'
import { seal, unseal } from '../../src/store/seal.ts'

test('what was sealed comes back, and so does what earlier versions wrote', () => {
  fc.assert(
    fc.property(fc.json(), (json) => {
      expect(unseal(seal(json))).toBe(json)
      expect(JSON.parse(unseal(json))).toEqual(JSON.parse(json))
    }),
  )
})

test('damage to one place is no JSON any more, wherever it is', () => {
  const value = { msn: 157_680_000, dsn: 6, startMs: 1_790_000_000_000.5, id: 'a-1' }
  const whole = Buffer.from(seal(JSON.stringify(value)))
  const damage = fc.record({
    at: fc.nat(whole.length - 1),
    with: fc.uint8Array({ minLength: 1, maxLength: 6 }),
  })
  fc.assert(
    fc.property(damage, ({ at, with: bytes }) => {
      const damaged = Buffer.from(whole)
      damaged.set(bytes.subarray(0, whole.length - at), at)
      const line = unseal(damaged.toString())
      if (damaged.equals(whole)) return
      expect(() => JSON.parse(line) as unknown).toThrow(SyntaxError)
    }),
    { numRuns: 2000 },
  )
})
