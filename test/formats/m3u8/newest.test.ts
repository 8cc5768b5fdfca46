import { describe, expect, test } from 'vitest'
import { parseMedia } from '../../../src/formats/m3u8/parse-media.ts'

const T0 = Date.UTC(2026, 0, 1)

/** A list of a day and more, as EVENT origins write it. */
function longList(
  count: number,
  {
    extinf = '2.000',
    first = '',
    before = '',
  }: { extinf?: string; first?: string; before?: string },
): string {
  const segments = Array.from({ length: count }, (_, i) => `#EXTINF:${extinf},\n${i}.ts\n`)
  return [
    '#EXTM3U\n#EXT-X-TARGETDURATION:2\n#EXT-X-MEDIA-SEQUENCE:100\n#EXT-X-PLAYLIST-TYPE:EVENT\n',
    first,
    ...segments.slice(0, 3),
    before,
    ...segments.slice(3),
  ].join('')
}

describe('lists of any length', () => {
  test.each([5001, 43_200, 60_480])('of %i segments the newest are read', (count) => {
    const list = parseMedia(longList(count, {}), { newest: 1000 })
    expect(list).toMatchObject({ type: 'EVENT', mediaSequence: 100 + count - 1000 })
    expect(list.segments[0]?.uri).toBe(`${count - 1000}.ts`)
    expect(list.segments.at(-1)?.uri).toBe(`${count - 1}.ts`)
    expect(list.segments).toHaveLength(1000)
  })

  test('as many as KVS lists are read whole', () => {
    expect(parseMedia(longList(5000, {})).segments).toHaveLength(5000)
    expect(parseMedia(longList(5001, {})).segments).toHaveLength(5000)
  })

  const date = `#EXT-X-PROGRAM-DATE-TIME:${new Date(T0).toISOString()}\n`
  const firstDate = (options: Parameters<typeof longList>[1]): number | undefined =>
    parseMedia(longList(60_000, options), { newest: 10 }).segments[0]?.programDateTimeMs

  test('one date on the first segment dates the newest by the durations between', () => {
    expect(firstDate({ first: date })).toBe(T0 + 59_990 * 2000)
    expect(firstDate({ first: date, extinf: '1.92' })).toBeCloseTo(T0 + 59_990 * 1920, 0)
  })

  test('a date counts from its segment’s beginning, before EXTINF or behind', () => {
    const behind = longList(60_000, {}).replace('\n0.ts', `\n${date}0.ts`)
    expect(parseMedia(behind, { newest: 10 }).segments[0]?.programDateTimeMs).toBe(
      T0 + 59_990 * 2000,
    )
  })

  test('rounded durations do not add up to a date, nor do those over a discontinuity', () => {
    expect(firstDate({ first: date, extinf: '2' })).toBeUndefined()
    expect(firstDate({ first: date, before: '#EXT-X-DISCONTINUITY\n' })).toBeUndefined()
    expect(firstDate({ first: date, before: `#EXT-X-DISCONTINUITY\n${date}` })).toBe(
      T0 + 59_987 * 2000,
    )
  })

  test('what was said long ago still holds', () => {
    const before = [
      '#EXT-X-DISCONTINUITY',
      '#EXT-X-KEY:METHOD=AES-128,URI="old"',
      '#EXT-X-KEY:METHOD=AES-128,URI="k"',
      '#EXT-X-MAP:URI="i.mp4"',
      '#EXT-X-BYTERANGE:5@0',
      '',
    ].join('\n')
    const list = parseMedia(longList(60_000, { before }), { newest: 10 })
    expect(list.discontinuitySequence).toBe(1)
    const [segment] = list.segments
    expect(segment?.map).toMatchObject({ uri: 'i.mp4', keys: [{ uri: 'k' }] })
    expect(segment?.keys).toMatchObject([{ uri: 'k' }])
    expect(segment?.byteRange).toBeUndefined()
  })

  test('ranges of one file go on over what is left out', () => {
    const segments = '#EXT-X-BYTERANGE:7\n#EXTINF:1,\na.ts\n'.repeat(20_000)
    const text = `#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXT-X-BYTERANGE:9@1\n#EXTINF:1,\na.ts\n${segments}`
    expect(parseMedia(text, { newest: 1 }).segments[0]?.byteRange).toEqual({
      offset: 10 + 19_999 * 7,
      length: 7,
    })
  })

  test('an end that stands anywhere is one', () => {
    expect(parseMedia(longList(60, { first: '#EXT-X-ENDLIST\n' }), { newest: 5 }).endList).toBe(
      true,
    )
  })
})
