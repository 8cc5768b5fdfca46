import { expect, test } from 'vitest'
import { fuzz } from './fuzz.ts'

test('G16: edits of all playlists that we know are read or refused, within bounds, and written as they were read', () => {
  const report = fuzz(1, (runs) => runs >= 1500)
  // That most are refused would prove little.
  expect(report.read).toBeGreaterThan(500)
})
