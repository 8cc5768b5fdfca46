import { readFileSync } from 'node:fs'
import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { parseMedia } from '../../../src/formats/m3u8/parse-media.ts'
import { parseMultivariant } from '../../../src/formats/m3u8/parse-multivariant.ts'
import { PlaylistError } from '../../../src/formats/m3u8/playlist-error.ts'

const golden = (name: string): string =>
  readFileSync(new URL(`golden/${name}.m3u8`, import.meta.url), 'utf8')

const GOLDEN = ['kvs-live-2019', 'kvs-live-2023', 'kvs-on-demand-2022', 'kvs-master-audio-video']

function media(...lines: string[]): string {
  return ['#EXTM3U', '#EXT-X-TARGETDURATION:2', ...lines, ''].join('\n')
}

describe('the playlists that KVS has been seen to send', () => {
  test('video only: one variant, no audio', () => {
    expect(parseMultivariant(golden('kvs-master-video'))).toEqual({
      version: 1,
      independentSegments: false,
      variants: [
        {
          uri: 'getHLSMediaPlaylist.m3u8?SessionToken=T0k~&TrackNumber=1',
          codecs: ['avc1.4d4032'],
          bandwidth: 329_640,
          resolution: { width: 2592, height: 1944 },
          frameRate: 15.02,
          audioGroup: undefined,
        },
      ],
      audio: [],
    })
  })

  test('audio and video: an audio rendition of its own', () => {
    const { variants, audio } = parseMultivariant(golden('kvs-master-audio-video'))
    expect(variants[0]?.codecs).toEqual(['avc1.42c032', 'mp4a.40.2'])
    expect(variants[0]?.audioGroup).toBe('audio')
    expect(audio).toEqual([
      {
        groupId: 'audio',
        name: 'audio',
        uri: 'getHLSMediaPlaylist.m3u8?SessionToken=T0k~&TrackNumber=2',
        isDefault: false,
        isAutoselect: true,
      },
    ])
  })

  test('2019, live: discontinuities, no dates, session-relative numbers', () => {
    const { segments, ...rest } = parseMedia(golden('kvs-live-2019'))
    expect(rest).toEqual({
      version: 7,
      independentSegments: true,
      targetDuration: 2,
      mediaSequence: 0,
      discontinuitySequence: 0,
      endList: false,
    })
    expect(segments.map(({ durationS, discontinuity }) => [durationS, discontinuity])).toEqual([
      [1.01, true],
      [0.998, true],
    ])
    expect(segments[1]).toMatchObject({
      uri: 'getMP4MediaFragment.mp4?FragmentNumber=1&SessionToken=T0k~&TrackNumber=1',
      programDateTimeMs: undefined,
      gap: false,
    })
  })

  test('2023, live: each fragment has its date, one map covers them all', () => {
    const { segments } = parseMedia(golden('kvs-live-2023'))
    expect(segments.map((segment) => segment.programDateTimeMs)).toEqual([
      Date.UTC(2023, 4, 17, 13, 48, 35, 994),
      Date.UTC(2023, 4, 17, 13, 48, 38, 656),
    ])
    expect(segments[0]?.map).toBeDefined()
    expect(segments[1]?.map).toBe(segments[0]?.map)
  })

  test('2022, on demand: ends', () => {
    const playlist = parseMedia(golden('kvs-on-demand-2022'))
    expect(playlist).toMatchObject({ mediaSequence: 1, endList: true })
    expect(playlist.segments).toHaveLength(1)
  })
})

test('a repeated EXT-X-MAP is another one even under the same URI', () => {
  const map = '#EXT-X-MAP:URI="init.mp4"'
  const list = media(map, '#EXTINF:2,', 'a', '#EXTINF:2,', 'b', map, '#EXTINF:2,', 'c')
  const [a, b, c] = parseMedia(list).segments.map((segment) => segment.map)
  expect(b).toBe(a)
  expect(c).toEqual(a)
  expect(c).not.toBe(a)
})

describe('byte ranges', () => {
  const ranges = (...lines: readonly string[]): readonly unknown[] =>
    parseMedia(media(...lines)).segments.map(({ byteRange }) => byteRange)

  test('go on where the one before ends in the same file', () => {
    const lines = [
      '#EXT-X-BYTERANGE:10@5',
      '#EXTINF:1,',
      'a',
      '#EXT-X-BYTERANGE:20',
      '#EXTINF:1,',
      'a',
    ]
    expect(ranges(...lines)).toEqual([
      { offset: 5, length: 10 },
      { offset: 15, length: 20 },
    ])
  })

  test('do not go on in another file, nor after a whole one', () => {
    const first = ['#EXT-X-BYTERANGE:10@5', '#EXTINF:1,', 'a']
    const second = (uri: string): string[] => ['#EXT-X-BYTERANGE:20', '#EXTINF:1,', uri]
    expect(() => ranges(...first, ...second('b'))).toThrow(/no beginning/)
    expect(() => ranges(...first, '#EXTINF:1,', 'a', ...second('a'))).toThrow(/no beginning/)
  })

  test('stand on an init segment too', () => {
    const list = media('#EXT-X-MAP:URI="a",BYTERANGE="700@0"', '#EXTINF:1,', 'a')
    expect(parseMedia(list).segments[0]?.map?.byteRange).toEqual({ offset: 0, length: 700 })
  })
})

describe('keys', () => {
  const AES = '#EXT-X-KEY:METHOD=AES-128,URI="k1",IV=0x1F'
  const keyUris = (...lines: readonly string[]): readonly unknown[] =>
    parseMedia(media(...lines)).segments.map(({ keys }) => keys.map(({ uri }) => uri))
  const segment = ['#EXTINF:1,', 'a']

  test('hold until NONE, or the next one of the same format', () => {
    const other =
      '#EXT-X-KEY:METHOD=SAMPLE-AES,URI="skd://x",KEYFORMAT="com.apple.streamingkeydelivery"'
    const next = '#EXT-X-KEY:METHOD=AES-128,URI="k2"'
    const none = '#EXT-X-KEY:METHOD=NONE'
    expect(
      keyUris(...segment, AES, ...segment, other, ...segment, next, ...segment, none, ...segment),
    ).toEqual([[], ['k1'], ['k1', 'skd://x'], ['skd://x', 'k2'], []])
  })

  test('are read with all that decrypting needs', () => {
    expect(parseMedia(media(AES, ...segment)).segments[0]?.keys).toEqual([
      { method: 'AES-128', uri: 'k1', iv: '0x1F', keyFormat: 'identity' },
    ])
  })

  test('of an init segment are those before its tag', () => {
    const map = '#EXT-X-MAP:URI="i"'
    const { segments } = parseMedia(media(map, AES, ...segment, map, ...segment))
    expect(segments.map((one) => one.map?.keys.length)).toEqual([0, 1])
  })
})

test('what only low-latency players need passes by', () => {
  const list = media(
    '#EXT-X-PART-INF:PART-TARGET=0.5',
    '#EXT-X-BITRATE:900',
    '#EXT-X-PART:DURATION=0.5,URI="p"',
    '#EXTINF:1,',
    'a',
    '#EXT-X-PART:DURATION=0.5,URI="p"',
    '#EXT-X-PRELOAD-HINT:TYPE=PART,URI="q"',
    '#EXT-X-RENDITION-REPORT:URI="b"',
  )
  expect(parseMedia(list).segments.map(({ uri }) => uri)).toEqual(['a'])
})

test('EXT-X-GAP marks its segment alone', () => {
  const list = media('#EXTINF:2,', 'a', '#EXT-X-GAP', '#EXTINF:2,', 'b', '#EXTINF:2,', 'c')
  expect(parseMedia(list).segments.map(({ gap }) => gap)).toEqual([false, true, false])
})

test('unknown tags and comments pass by', () => {
  const list = media(
    '#EXT-X-FUTURE:A=1',
    '# note',
    '#EXT-X-DATERANGE:ID="__proto__"',
    '#EXTINF:2,',
    'a',
  )
  expect(parseMedia(list).segments.map(({ uri }) => uri)).toEqual(['a'])
})

test('a date belongs to the segment that it stands before', () => {
  const date = '#EXT-X-PROGRAM-DATE-TIME:2026-01-01T00:00:00.500+00:00'
  const list = media(date, '#EXTINF:2,', 'a', '#EXTINF:2,', 'b')
  expect(parseMedia(list).segments.map((segment) => segment.programDateTimeMs)).toEqual([
    Date.UTC(2026, 0, 1, 0, 0, 0, 500),
    undefined,
  ])
})

describe('what is no playlist is refused', () => {
  const refused: [string, string, RegExp][] = [
    ['an HTML page', '<html><body>504</body></html>', /line 1: expected #EXTM3U, got a page/],
    ['nothing', '', /expected #EXTM3U/],
    ['no duration at all', '#EXTM3U\n#EXT-X-MEDIA-SEQUENCE:1\n', /targetDuration/],
    ['a multivariant playlist', golden('kvs-master-video'), /a media playlist was expected/],
    ['a segment without a duration', '#EXTM3U\na\n', /targetDuration|duration/],
    ['a byte range that is none', media('#EXT-X-MAP:URI="i",BYTERANGE="x"'), /a byte range/],
    ['a range of nothing', media('#EXT-X-BYTERANGE:0@1', '#EXTINF:1,', 'a'), /no beginning/],
    [
      'a range without a beginning',
      media('#EXT-X-MEDIA-SEQUENCE:5', '#EXT-X-BYTERANGE:9', '#EXTINF:1,', 'a'),
      /no beginning/,
    ],
    ['a variable without a value', media('#EXT-X-DEFINE:IMPORT="a"'), /no value/],
    ['a variable that is not defined', media('#EXT-X-DEFINE:NAME="a"', '{$b}'), /not defined/],
    ['a delta update', media('#EXT-X-SKIP:SKIPPED-SEGMENTS=3'), /delta update/],
    ['a map without URI', media('#EXT-X-MAP:URI=""'), /URI is missing/],
    ['a key without URI', media('#EXT-X-KEY:METHOD=AES-128'), /URI is missing/],
    ['an IV that is none', media('#EXT-X-KEY:METHOD=AES-128,URI="k",IV=7'), /IV/],
    ['too much text', media(`#${'x'.repeat(25_000_000)}`), /characters/],
    ['a line without end', media('x'.repeat(20_000)), /line 3: longer/],
  ]
  test.each(refused)('%s', (_, text, message) => {
    expect(() => parseMedia(text)).toThrow(PlaylistError)
    expect(() => parseMedia(text)).toThrow(message)
  })

  test('a media playlist where a multivariant one is due', () => {
    expect(() => parseMultivariant(golden('kvs-live-2023'))).toThrow(PlaylistError)
  })

  test.each(['__proto__', 'constructor', 'toString'])('an audio group called %s is one', (name) => {
    const list = `#EXTM3U\n#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="${name}",NAME="keys"\n`
    const variant = '#EXT-X-STREAM-INF:BANDWIDTH=1\na.m3u8\n'
    expect(parseMultivariant(list + variant).audio).toMatchObject([{ groupId: name }])
    expect({}).not.toHaveProperty('keys')
  })
})

describe('hostile text', () => {
  beforeEach(() => {
    for (const method of ['log', 'info', 'warn', 'error', 'debug'] as const) {
      vi.spyOn(console, method).mockImplementation(() => {})
    }
  })
  afterEach(() => {
    vi.restoreAllMocks()
  })

  const parsers = [parseMedia, parseMultivariant]

  function expectPlaylistErrorOrValue(text: string): void {
    for (const parse of parsers) {
      try {
        parse(text)
      } catch (error) {
        expect(error).toBeInstanceOf(PlaylistError)
        expect(String(error)).not.toContain('T0k~')
      }
    }
  }

  const source = fc.constantFrom(...GOLDEN.map(golden))

  test('G16: any truncation or edit gives a value or a PlaylistError without the token', () => {
    const edit = fc.tuple(fc.nat(1500), fc.nat(20), fc.oneof(fc.string(), fc.constant('"')))
    fc.assert(
      fc.property(source, fc.array(edit, { maxLength: 4 }), fc.nat(2000), (text, edits, end) => {
        const edited = edits.reduce(
          (all, [at, cut, insert]) => all.slice(0, at) + insert + all.slice(at + cut),
          text,
        )
        expectPlaylistErrorOrValue(edited)
        expectPlaylistErrorOrValue(edited.slice(0, end))
      }),
      { numRuns: 300 },
    )
    expect(vi.mocked(console.warn)).not.toHaveBeenCalled()
    expect(vi.mocked(console.log)).not.toHaveBeenCalled()
    expect(vi.mocked(console.error)).not.toHaveBeenCalled()
  })

  test('any tag with any value gives a value or a PlaylistError, and leaves Object alone', () => {
    const before = Object.getOwnPropertyNames(Object.prototype).join()
    const tag = fc.constantFrom('INF', '-X-MAP', '-X-MEDIA', '-X-STREAM-INF', '-X-KEY', '-X-DEFINE')
    const word = fc.constantFrom(
      '__proto__',
      'TYPE',
      'AUDIO',
      'NAME',
      'GROUP-ID',
      '"',
      '=',
      ',',
      'x',
    )
    const value = fc.array(word, { maxLength: 20 }).map((words) => words.join(''))
    fc.assert(
      fc.property(fc.array(fc.tuple(tag, value)), (lines) => {
        expectPlaylistErrorOrValue(
          media(...lines.map(([name, text]) => `#EXT${name}:${text}`), 'a'),
        )
      }),
      { numRuns: 300 },
    )
    expect(Object.getOwnPropertyNames(Object.prototype).join()).toBe(before)
  })
})
