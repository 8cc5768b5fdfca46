import { describe, expect, test } from 'vitest'
import { type Journals, MOST_PAGE_BYTES } from '../../src/store/journals.ts'

/** Runs the suite against places that `open` makes; each gives the journals of another process there. */
export function journalsContract(name: string, open: () => Promise<() => Journals>): void {
  describe(`${name} keeps the contract of journals`, () => {
    test('what was appended is found by the next process, page by page', async () => {
      const journals = await open()
      await journals().append('..', 10, ['c'])
      await journals().append('..', 9, ['a', 'b'])
      await journals().append('..', 10, ['d'])
      await journals().append('other', 1, ['x'])
      expect(await journals().load('..')).toEqual([
        { number: 9, lines: ['a', 'b'] },
        { number: 10, lines: ['c', 'd'] },
      ])
    })

    test('nothing is found where nothing was appended', async () => {
      const journals = await open()
      expect(await journals().load('lobby')).toEqual([])
      await journals().drop('lobby', 7)
      await journals().keepOnly([])
    })

    test('old pages and other streams’ journals go when they are told to', async () => {
      const journals = await open()
      for (const page of [1, 2, 3]) await journals().append('lobby', page, ['a'])
      await journals().append('other', 1, ['a'])
      await journals().drop('lobby', 3)
      await journals().keepOnly(['lobby'])
      expect(await journals().load('lobby')).toEqual([{ number: 3, lines: ['a'] }])
      expect(await journals().load('other')).toEqual([])
    })

    test('G18: a page beyond the bound is left out, and does not spoil the others', async () => {
      const journals = await open()
      const line = 'x'.repeat(MOST_PAGE_BYTES / 2)
      await journals().append('lobby', 1, [line, line])
      await journals().append('lobby', 2, ['a'])
      expect(await journals().load('lobby')).toEqual([{ number: 2, lines: ['a'] }])
    })
  })
}
