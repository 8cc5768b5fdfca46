import { expect, test } from 'vitest'
import { mostAtOnce } from './emulator-control.ts'

test('sessions at once: from opening to last use', () => {
  expect(mostAtOnce([])).toBe(0)
  expect(mostAtOnce([{ openedMs: 5, lastUsedMs: null }])).toBe(0)
  const rollOver = [
    { openedMs: 0, lastUsedMs: 100 },
    { openedMs: 90, lastUsedMs: 200 },
    { openedMs: 190, lastUsedMs: 300 },
  ]
  expect(mostAtOnce(rollOver)).toBe(2)
  expect(mostAtOnce([...rollOver, { openedMs: 95, lastUsedMs: 99 }])).toBe(3)
})
