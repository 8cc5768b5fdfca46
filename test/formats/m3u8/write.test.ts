import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { parseAttributes, quoted, writeAttributes } from '../../../src/formats/m3u8/attributes.ts'
import { parseMedia } from '../../../src/formats/m3u8/parse-media.ts'
import { extinf, playlist, programDateTime, tag } from '../../../src/formats/m3u8/write.ts'

describe('tags', () => {
  test('without a value, with one, with attributes', () => {
    expect(tag('EXT-X-GAP')).toBe('#EXT-X-GAP')
    expect(tag('EXT-X-VERSION', 7)).toBe('#EXT-X-VERSION:7')
    expect(tag('EXT-X-MAP', { URI: quoted('a b,c'), N: 0, GONE: undefined })).toBe(
      '#EXT-X-MAP:URI="a b,c",N=0',
    )
  })

  test('a line break never gets into a playlist', () => {
    expect(() => tag('EXT-X-A', 'x\n#EXT-X-ENDLIST')).toThrow(RangeError)
    expect(() => quoted('x\r')).toThrow(RangeError)
    expect(() => quoted('x"')).toThrow(RangeError)
    expect(() => writeAttributes({ A: 'x,B=1' })).toThrow(RangeError)
    expect(() => playlist(['a\nb'])).toThrow(RangeError)
  })

  test('EXTINF has three decimals or as many as it needs, up to six', () => {
    expect([2, 1.92, 0.9600001, 1 / 3].map(extinf)).toEqual([
      '#EXTINF:2.000,',
      '#EXTINF:1.920,',
      '#EXTINF:0.960,',
      '#EXTINF:0.333333,',
    ])
    expect(() => extinf(Number.NaN)).toThrow(RangeError)
  })

  test('dates are UTC with milliseconds', () => {
    expect(programDateTime(Date.UTC(2026, 0, 1) + 0.6)).toBe(
      '#EXT-X-PROGRAM-DATE-TIME:2026-01-01T00:00:00.001Z',
    )
  })
})

test('attributes are read as they were written', () => {
  const name = fc.stringMatching(/^[A-Z][A-Z0-9-]{0,8}$/)
  const value = fc.string().filter((text) => !/["\r\n]/.test(text))
  fc.assert(
    fc.property(fc.dictionary(name, value), (attributes) => {
      const list = writeAttributes(
        Object.fromEntries(Object.entries(attributes).map(([key, text]) => [key, quoted(text)])),
      )
      expect(parseAttributes(list)).toEqual(new Map(Object.entries(attributes)))
    }),
  )
})

test('a malformed list is not half read', () => {
  for (const list of ['A', 'A="x', '="x"', 'A="x"y', 'a b=1', ',']) {
    expect(parseAttributes(list), list).toBeUndefined()
  }
})

test('what is written is read again, whatever the segments', () => {
  const segment = fc.record({
    uri: fc.stringMatching(/^[a-z0-9/_-]{1,20}\.m4s$/),
    durationS: fc.integer({ min: 1, max: 20_000_000 }).map((us) => us / 1e6),
    programDateTimeMs: fc.integer({ min: 0, max: 4e12 }),
    discontinuity: fc.boolean(),
  })
  fc.assert(
    fc.property(fc.array(segment, { maxLength: 20 }), (segments) => {
      const text = playlist([
        tag('EXT-X-TARGETDURATION', 20),
        ...segments.flatMap((one) => [
          ...(one.discontinuity ? [tag('EXT-X-DISCONTINUITY')] : []),
          programDateTime(one.programDateTimeMs),
          extinf(one.durationS),
          one.uri,
        ]),
      ])
      const read = parseMedia(text).segments
      expect(read).toMatchObject(segments)
      expect(read).toHaveLength(segments.length)
    }),
  )
})
