import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { Hold } from '../../src/store/fragment-tier.ts'
import { TierRoom } from '../../src/store/tier-room.ts'

const MAX_BYTES = 100

test('G18: whatever is put, no more than the bound is kept; what is spare goes first, and pushes out only its like', () => {
  const put = fc.record({
    name: fc.constantFrom('a', 'b', 'c', 'd', 'e', 'f'),
    size: fc.nat(120),
    hold: fc.constantFrom<Hold>('listed', 'none', 'spare'),
    canBeHadAgain: fc.boolean(),
  })
  fc.assert(
    fc.property(fc.array(put), (puts) => {
      const room = new TierRoom<{ readonly size: number; readonly isSpare: boolean }>(MAX_BYTES)
      for (const { name, size, hold, canBeHadAgain } of puts) {
        const isSpare = hold === 'spare' || canBeHadAgain
        if (!room.fits(size, hold, isSpare)) continue
        room.note(name, { size, isSpare }, isSpare)
        for (let gone = room.excess(); gone !== undefined; gone = room.excess()) {
          const spareLeft = [...room.entries()].some(([, entry]) => entry.isSpare)
          const lost = room.forget(gone)
          expect(lost?.isSpare).toBe(spareLeft)
          if (isSpare) expect(spareLeft).toBe(true)
          if (hold === 'spare') expect(gone).toBe('never')
        }
        expect(room.get(name)?.size).toBe(size)
        const sizes = Array.from(room.entries(), ([, entry]) => entry.size)
        expect(room.used).toBe(sizes.reduce((sum, each) => sum + each, 0))
        expect(room.used).toBeLessThanOrEqual(MAX_BYTES)
      }
    }),
  )
})
