import { describe, expect, test } from 'vitest'
import { MOST_TIMELINE_BYTES, type SavedTimelines } from '../../src/store/saved-timelines.ts'

/** Runs the suite against places that `open` makes; each gives the timelines of another process there. */
export function savedTimelinesContract(
  name: string,
  open: () => Promise<() => SavedTimelines>,
): void {
  describe(`${name} keeps the contract of saved timelines`, () => {
    test.each(['lobby', '..', 'a'.repeat(241)])(
      'G1: what was saved last is found by the next process: %s',
      async (stream) => {
        const timelines = await open()
        await timelines().save(stream, { msn: 1 })
        await timelines().save(stream, { msn: 2 })
        await timelines().save('other', { msn: 3 })
        expect(await timelines().load(stream)).toEqual({ msn: 2 })
      },
    )

    test('nothing is found where nothing was saved', async () => {
      const timelines = await open()
      expect(await timelines().load('lobby')).toBeUndefined()
      expect(await timelines().names(() => true)).toEqual([])
    })

    test('names are told, those that were asked for', async () => {
      const timelines = await open()
      for (const stream of ['lobby', 'yard', 'gate']) await timelines().save(stream, {})
      const names = await timelines().names((stream) => stream !== 'yard')
      expect(names.toSorted()).toEqual(['gate', 'lobby'])
    })

    test('G18: what is beyond the bound is not read', async () => {
      const timelines = await open()
      await timelines().save('lobby', 'x'.repeat(MOST_TIMELINE_BYTES))
      expect(await timelines().load('lobby')).toBeUndefined()
    })
  })
}
