import { expect, test } from 'vitest'
import { arrivals } from './arrivals.ts'
import { SOAK_STREAMS } from './cameras.ts'

test('half of the viewers watch live, and every stream that has a past is played in all ways', () => {
  const all = arrivals(200)
  const streamsOf = (group: string): string[] =>
    [...new Set(all.filter((one) => one.group === group).map(({ stream }) => stream))].sort()
  const names = (wanted: (stream: (typeof SOAK_STREAMS)[number]) => boolean): string[] =>
    SOAK_STREAMS.filter(wanted)
      .map(({ name }) => name)
      .sort()

  expect(all.filter(({ group }) => group === 'live')).toHaveLength(100)
  expect(streamsOf('live')).toEqual(names(() => true))
  expect(streamsOf('dvr')).toEqual(names(({ hasDvr }) => hasDvr === true))
  expect(streamsOf('dvr by deltas')).toEqual(streamsOf('dvr'))
  expect(streamsOf('archive')).toEqual(names(({ follows }) => follows === undefined))
  expect(streamsOf('clip')).toEqual(streamsOf('archive'))
})
