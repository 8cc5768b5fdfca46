import { describe, expect, test } from 'vitest'
import { type MediaPlaylist, parseMedia } from '../../../src/formats/m3u8/parse-media.ts'
import { parseMultivariant } from '../../../src/formats/m3u8/parse-multivariant.ts'
import { PlaylistError } from '../../../src/formats/m3u8/playlist-error.ts'
import { writeMedia } from '../../../src/formats/m3u8/write-media.ts'
import { LOOSE_MEDIA, LOOSE_MULTIVARIANT, MEDIA, MULTIVARIANT } from './corpus.ts'

describe('a media playlist as others write it says the same', () => {
  const control = parseMedia(MEDIA)

  test('the control is read whole', () => {
    expect(control).toMatchObject({ targetDuration: 2, mediaSequence: 7, discontinuitySequence: 3 })
    expect(control.segments).toHaveLength(3)
  })

  test.each(Object.entries(LOOSE_MEDIA))('%s', (_, text) => {
    expect(text).not.toBe(MEDIA)
    expect(parseMedia(text)).toEqual(control)
  })

  test('tags and attributes in small letters', () => {
    const small = MEDIA.replaceAll(/^#EXT[^:\n]*|\b[A-Z]+(?==)/gm, (name) => name.toLowerCase())
    expect(small).toMatch(/^#extm3u\n/)
    expect(parseMedia(small)).toEqual(control)
  })
})

describe('what a list leaves out, the one before it says', () => {
  const SKIP = '#EXT-X-SKIP:SKIPPED-SEGMENTS=2\n'
  const tail = MEDIA.replace(/#EXT-X-KEY[\s\S]*(?=#EXT-X-GAP)/, SKIP)
  const before = parseMedia(MEDIA)

  test('in a delta update that nobody asked for', () => {
    expect(parseMedia(tail, { before })).toEqual(before)
  })

  test('but not of what it did not hold itself', () => {
    const later = tail.replace('SEQUENCE:7', 'SEQUENCE:12')
    for (const text of [tail, later]) {
      const sources = text === later ? { before } : {}
      expect(() => parseMedia(text, sources)).toThrow('a delta update, which was not asked for')
    }
  })

  test('in ranges of one file, whose beginning only the first of all lists says, or none', () => {
    const list = (first: number, offset = ''): string =>
      media(
        `#EXT-X-MEDIA-SEQUENCE:${first}`,
        ...[offset, '', ''].flatMap((at) => [`#EXT-X-BYTERANGE:10${at}`, '#EXTINF:2,', 'all.ts']),
      )
    const offsets = (written: string, known?: MediaPlaylist): readonly unknown[] =>
      parseMedia(written, { before: known }).segments.map(({ byteRange }) => byteRange?.offset)
    const first = parseMedia(list(8, '@80'))
    expect(offsets(list(0))).toEqual([0, 10, 20])
    for (const next of [8, 9, 11]) {
      expect(offsets(list(next), first)).toEqual([next * 10, next * 10 + 10, next * 10 + 20])
    }
    expect(() => offsets(list(12), first)).toThrow('no beginning')
  })
})

describe('a multivariant playlist as others write it says the same', () => {
  const control = parseMultivariant(MULTIVARIANT)

  test('the control is read whole', () => {
    expect(control.variants).toHaveLength(1)
    expect(control.audio).toHaveLength(1)
  })

  test.each(Object.entries(LOOSE_MULTIVARIANT))('%s', (_, text) => {
    expect(text).not.toBe(MULTIVARIANT)
    expect(parseMultivariant(text)).toEqual(control)
  })
})

function media(...lines: string[]): string {
  return ['#EXTM3U', '#EXT-X-TARGETDURATION:2', ...lines, ''].join('\n')
}

test.each(['0', '757105875891022195998207386831088', '-3'])(
  'EXT-X-VERSION:%s is none',
  (version) => {
    expect(parseMedia(media(`#EXT-X-VERSION:${version}`)).version).toBeUndefined()
  },
)

test.each([
  ['1732867200000000', 1_732_867_200_000_000],
  ['9007199254740991', Number.MAX_SAFE_INTEGER],
  ['9007199254740992', 7_199_254_740_992],
  ['18446744073709551615', 744_073_709_551_615],
])('EXT-X-MEDIA-SEQUENCE:%s goes on from number to number', (written, first) => {
  const list = parseMedia(media(`#EXT-X-MEDIA-SEQUENCE:${written}`, '#EXTINF:2,', 'a'))
  expect(list.mediaSequence).toBe(first)
})

describe('durations as programs print them', () => {
  test.each([
    ['.96', 0.96],
    ['2.', 2],
    ['1e0', 1],
    ['2.5E-1', 0.25],
    ['+2.5', 2.5],
    ['1.96000000000000001', 1.96],
    [' 2.002 ', 2.002],
  ])('EXTINF:%s', (written, durationS) => {
    expect(parseMedia(media(`#EXTINF:${written},`, 'a')).segments[0]?.durationS).toBe(durationS)
    expect(parseMedia(media(`#EXTINF:${written}`, 'a')).segments[0]?.durationS).toBe(durationS)
  })

  test.each(['x', '-1', 'nan', '1.2.3', '0x2', ';'])(
    'EXTINF:%s is none, and costs its segment nothing else',
    (written) => {
      const { segments } = parseMedia(media(`#EXTINF:${written},`, 'a', '#EXTINF:1.96,', 'b'))
      expect(segments.map(({ uri, durationS, isRounded }) => [uri, durationS, isRounded])).toEqual([
        ['a', 2, true],
        ['b', 1.96, false],
      ])
    },
  )

  test('EXTINF with a comma for a point is whole seconds', () => {
    expect(parseMedia(media('#EXTINF:1,5', 'a')).segments[0]?.durationS).toBe(1)
  })
})

describe('dates as others write them', () => {
  const dateOf = (written: string): number | undefined =>
    parseMedia(media(`#EXT-X-PROGRAM-DATE-TIME:${written}`, '#EXTINF:2,', 'a')).segments[0]
      ?.programDateTimeMs
  const at = Date.UTC(2026, 0, 2, 3, 4, 5)

  test.each([
    ['2026-01-02T03:04:05Z', at],
    ['2026-01-02T03:04:05.250Z', at + 250],
    ['2026-01-02T03:04:05.250123456Z', at + 250],
    ['2026-01-02T03:04:05,250z', at + 250],
    ['2026-01-02 03:04:05Z', at],
    ['2026-01-02T04:04:05+01:00', at],
    ['2026-01-02T04:04:05.5+0100', at + 500],
    ['2026-01-02T04:04:05+01', at],
    ['2026-01-01T19:04:05-0800', at],
  ])('%s', (written, epochMs) => {
    expect(dateOf(written)).toBe(epochMs)
  })

  test('without a zone they are UTC, whatever the zone of the machine', () => {
    const before = process.env['TZ']
    try {
      process.env['TZ'] = 'America/New_York'
      expect(dateOf('2026-01-02T03:04:05')).toBe(at)
      expect(dateOf('2026-01-02 03:04:05.000')).toBe(at)
    } finally {
      if (before === undefined) delete process.env['TZ']
      else process.env['TZ'] = before
    }
  })

  test.each([
    '',
    'yesterday',
    '2026-99-01T00:00:00Z',
    '1767323045',
    'Fri, 02 Jan 2026 03:04:05 GMT',
  ])('"%s" is none, and costs its segment nothing else', (written) => {
    expect(dateOf(written)).toBeUndefined()
  })
})

describe('EXT-X-DEFINE', () => {
  const defined = (...lines: string[]): string => media(...lines, '#EXTINF:2,', '{$host}/a?t={$t}')
  const uriOf = (text: string, sources = {}): string | undefined =>
    parseMedia(text, sources).segments[0]?.uri

  test('NAME gives a value, which may refer to those before it', () => {
    const [host, t] = [
      '#EXT-X-DEFINE:NAME="host",VALUE="//h"',
      '#EXT-X-DEFINE:NAME="t",VALUE="{$host}!"',
    ]
    expect(uriOf(defined(host, t))).toBe('//h/a?t=//h!')
  })

  test('QUERYPARAM takes it from the URL of the playlist, IMPORT from the multivariant one', () => {
    const text = defined('#EXT-X-DEFINE:QUERYPARAM="t"', '#EXT-X-DEFINE: IMPORT=host')
    const imports = parseMultivariant(
      `#EXTM3U\n#EXT-X-DEFINE:NAME="host",VALUE="//h"\n#EXT-X-STREAM-INF:BANDWIDTH=1\na\n`,
    ).variables
    expect(uriOf(text, { url: new URL('http://o/v.m3u8?t=x%20y'), imports })).toBe('//h/a?t=x y')
    expect(() => uriOf(text, { url: new URL('http://o/v.m3u8'), imports })).toThrow(/no value/)
    expect(() => uriOf(text, { url: new URL('http://o/v.m3u8?t=1') })).toThrow(/no value/)
  })

  test('stands in attributes too', () => {
    const text = media(
      '#EXT-X-DEFINE:NAME="i",VALUE="init"',
      '#EXT-X-MAP:URI="{$i}.mp4"',
      '#EXTINF:1,',
      'a',
    )
    expect(parseMedia(text).segments[0]?.map?.uri).toBe('init.mp4')
  })

  test('values that refer to each other do not grow without bound', () => {
    const laughs = Array.from(
      { length: 20 },
      (_, i) => `#EXT-X-DEFINE:NAME="v${i}",VALUE="${i === 0 ? 'ha' : `{$v${i - 1}}`.repeat(10)}"`,
    )
    expect(() => parseMedia(media(...laughs))).toThrow(/more than/)
    const big = `#EXT-X-DEFINE:NAME="b",VALUE="${'x'.repeat(4000)}"`
    expect(() =>
      parseMedia(media(big, '{$b}'.repeat(2000), ...Array(20).fill('{$b}'.repeat(400)))),
    ).toThrow(PlaylistError)
  })

  test('what looks like a variable is none where none is defined', () => {
    expect(uriOf(media('#EXTINF:1,', 'a{$b}'))).toBe('a{$b}')
  })
})

describe('what is beyond all bounds', () => {
  test('a duration of years is unknown, and the list goes on', () => {
    const { segments } = parseMedia(media('#EXTINF:999999999,', 'a', '#EXTINF:2.000,', 'b'))
    expect(segments.map(({ durationS, isRounded }) => [durationS, isRounded])).toEqual([
      [2, true],
      [2, false],
    ])
  })

  test('UTF-16 is named', () => {
    const text = Buffer.from('\uFEFF#EXTM3U\n#EXTINF:1,\na\n', 'utf16le').toString()
    expect(() => parseMedia(text)).toThrow(/expected UTF-8, got UTF-16/)
  })

  test('a target duration of years is what the segments say', () => {
    const text = '#EXTM3U\n#EXT-X-TARGETDURATION:999999999\n#EXTINF:2.002,\na\n#EXTINF:1,\nb\n'
    expect(parseMedia(text).targetDuration).toBe(3)
    const all = text.replaceAll(/EXTINF:.*,/g, 'EXTINF:999999999,')
    expect(() => parseMedia(all)).toThrow(/targetDuration/)
  })

  test.each([
    ['a METHOD with a blank', '#EXT-X-KEY:METHOD=AES 128,URI="k"'],
    ['a METHOD with a comma', '#EXT-X-KEY:METHOD="AES,128",URI="k"'],
    ['a key’s URI with a carriage return', '#EXT-X-KEY:METHOD=AES-128,URI="k\rx"'],
    ['a key’s URI with a quote', "#EXT-X-KEY:METHOD=AES-128,URI='k\"'"],
    ['a map’s URI with a tab', '#EXT-X-MAP:URI="i\tx"'],
    ['a URI with a NUL', '#EXTINF:1,\na\0b'],
  ])('%s is refused: it could not be written again', (_, line) => {
    expect(() => parseMedia(media(line, '#EXTINF:2,', 'a'))).toThrow(PlaylistError)
  })

  test('an attribute that nobody needs is not in the way', () => {
    const text = media('#EXT-X-KEY:METHOD=AES-128,URI="k",X-NOTE="a\tb"', '#EXTINF:2,', 'a')
    expect(writeMedia(parseMedia(text))).toContain('#EXT-X-KEY:METHOD=AES-128,URI="k"\n')
  })
})
