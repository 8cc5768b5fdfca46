import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { freshSince, newestOf, newestWithin } from '../../src/sources/listing.ts'
import type { ListedFragment } from '../../src/upstream/listed-fragment.ts'
import { SecretUrl } from '../../src/upstream/secret-url.ts'

const uri = new SecretUrl(new URL('https://kvs.test/hls/v1/fragment'))

function listed(number: number, startMs?: number, durationS = 2): ListedFragment {
  const map = { key: 'map', uri }
  return { number: BigInt(number), startMs, durationS, discontinuity: undefined, uri, map }
}

const numbers = (list: readonly ListedFragment[]) => list.map(({ number }) => Number(number))

describe('what is new in a playlist', () => {
  const list = [listed(11, 0), listed(12, 2000), listed(13, 4000)]

  test.each([
    ['everything, to one who has taken nothing', undefined, [11, 12, 13]],
    ['what is greater than the last', { number: 12n, endMs: 4000 }, [13]],
    ['nothing after the newest', { number: 13n, endMs: 6000 }, []],
    ['everything, after a loss', { number: 3n, endMs: -9000 }, [11, 12, 13]],
    ['nothing of what came late', { number: 99n, endMs: 6000 }, []],
    ['all of a stream that was made anew', { number: 99n, endMs: -2000 }, [11, 12, 13]],
    ['nothing smaller without dates to tell', { number: 99n, endMs: undefined }, []],
  ] as const)('%s', (_what, last, expected) => {
    expect(numbers(freshSince(list, last))).toEqual(expected)
  })

  test('however polls overlap, each fragment is taken once and in order', () => {
    const polls = fc.array(fc.tuple(fc.nat(30), fc.integer({ min: 1, max: 10 })))
    fc.assert(
      fc.property(polls, (ranges) => {
        const taken: number[] = []
        let edge = 0
        for (const [step, length] of ranges) {
          edge += step
          const list = Array.from({ length }, (_, i) => listed(edge + i, (edge + i) * 2000))
          const last = taken.at(-1)
          const fresh = freshSince(
            list,
            last === undefined ? undefined : { number: BigInt(last), endMs: (last + 1) * 2000 },
          )
          taken.push(...numbers(fresh))
        }
        expect(taken).toEqual([...new Set(taken)].sort((a, b) => a - b))
      }),
    )
  })
})

describe('what a first list contributes', () => {
  test('the newest fragments, as many as the window', () => {
    const list = Array.from({ length: 10 }, (_, i) => listed(i))
    expect(numbers(newestOf(list, 6))).toEqual([4, 5, 6, 7, 8, 9])
  })

  test('more where they are short beside the longest, for three target durations', () => {
    const list = [listed(0, 0, 4), ...Array.from({ length: 9 }, (_, i) => listed(i + 1, 0, 1))]
    expect(numbers(newestOf(list, 6))).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9])
  })

  test('all of a short list', () => {
    expect(numbers(newestOf([listed(7)], 6))).toEqual([7])
    expect(newestOf([], 6)).toEqual([])
  })
})

describe('the part of a list that covers the last milliseconds', () => {
  const list = [listed(11, 0), listed(12, 2000), listed(13, 4000), listed(14, 6000)]

  test.each([
    ['the last one, of no time at all', 0, [14]],
    ['the last one, of less than its length', 1999, [14]],
    ['the last one, of its length', 2000, [14]],
    ['the one before it too, of a little more', 2001, [13, 14]],
    ['all, of more than there is', 60_000, [11, 12, 13, 14]],
  ] as const)('%s', (_what, ms, expected) => {
    expect(numbers(newestWithin(list, ms))).toEqual(expected)
    expect(numbers(newestWithin(list.map(undated), ms))).toEqual(expected)
  })

  test('nothing from before a hole that is longer', () => {
    const holed = [listed(11, 0), listed(12, 2000), listed(13, 64_000), listed(14, 66_000)]
    expect(numbers(newestWithin(holed, 30_000))).toEqual([13, 14])
  })

  test('nothing of an empty list', () => {
    expect(newestWithin([], 5000)).toEqual([])
  })
})

function undated(fragment: ListedFragment): ListedFragment {
  return { ...fragment, startMs: undefined }
}
