import { expect, test } from 'vitest'
import type { RenditionName } from '../../src/timeline/fragment.ts'
import { renditionsNow } from '../../src/timeline/renditions-now.ts'
import type { LiveList } from '../../src/timeline/segment-list.ts'

/** One letter for each segment: a of both, v and s of picture and sound alone. */
function now(segments: string): readonly RenditionName[] {
  const tracks = { a: { video: {}, audio: {} }, v: { video: {} }, s: { audio: {} } }
  const shown = segments.split('').map((each) => ({ tracks: tracks[each as keyof typeof tracks] }))
  return renditionsNow({ tail: shown } as unknown as Pick<LiveList, 'tail'>)
}

test.each([
  ['', []],
  ['a', ['video', 'audio']],
  ['v', ['video']],
  ['aaav', ['video', 'audio']],
  ['aava', ['video', 'audio']],
  ['aavv', ['video']],
  ['aass', ['audio']],
  ['vvva', ['video']],
  ['vvaa', ['video', 'audio']],
])('of %s: %j', (segments, renditions) => {
  expect(now(segments)).toEqual(renditions)
})
