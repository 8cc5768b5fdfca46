import { expect, test } from 'vitest'
import { needsNoInit } from '../../src/formats/read-segment.ts'
import { literalFragment, literalInit } from '../support/literal-fragment.ts'

/** Sample data that look like ten packets of a transport stream. */
const FILL = 0x47

test('a fragment of MP4 is none that needs no init, whatever its media look like', () => {
  const sample = { durationTicks: 3000, bytes: 2000, isSync: true, compositionTicks: 0 }
  const fragment = literalFragment(literalInit('avc'), 0, [sample], FILL)
  expect(needsNoInit(fragment)).toBe(false)
  expect(needsNoInit(fragment.subarray(fragment.indexOf('mdat') + 4))).toBe(true)
})
