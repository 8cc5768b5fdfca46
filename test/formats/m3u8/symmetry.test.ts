import { readFileSync } from 'node:fs'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { MediaPlaylist, MediaPlaylistKey } from '../../../src/formats/m3u8/media-playlist.ts'
import type { MultivariantPlaylist } from '../../../src/formats/m3u8/multivariant-playlist.ts'
import { parseMedia } from '../../../src/formats/m3u8/parse-media.ts'
import { parseMultivariant } from '../../../src/formats/m3u8/parse-multivariant.ts'
import {
  writeEnd,
  writeHead,
  writeMedia,
  writeSegments,
} from '../../../src/formats/m3u8/write-media.ts'
import { writeMultivariant } from '../../../src/formats/m3u8/write-multivariant.ts'

const maybe = <T>(arb: fc.Arbitrary<T>): fc.Arbitrary<T | undefined> =>
  fc.option(arb, { nil: undefined })

const uri = fc.stringMatching(/^[a-z0-9/_-]{1,20}\.m4s(\?t=[A-Za-z0-9~=&]{1,8})?$/)
const text = fc.stringMatching(/^[a-z0-9 ,=()-]{1,12}$/)
const byteRange = fc.record({ offset: fc.nat(1e9), length: fc.integer({ min: 1, max: 1e9 }) })

const plainKey = fc.record({
  method: fc.constantFrom('AES-128', 'SAMPLE-AES'),
  uri,
  iv: maybe(fc.stringMatching(/^0x[0-9a-f]{1,32}$/)),
  keyFormat: fc.constant('identity'),
})
const foreignKey = fc.record({
  method: fc.constantFrom('SAMPLE-AES', 'SAMPLE-AES-CTR'),
  uri: fc.constantFrom('skd://x', 'data:text/plain;base64,AAAA'),
  keyFormat: fc.constantFrom('com.apple.streamingkeydelivery', 'urn:uuid:edef8ba9'),
  keyFormatVersions: maybe(fc.constantFrom('1', '1/2')),
})
const keys: fc.Arbitrary<readonly MediaPlaylistKey[]> = fc.oneof(
  { weight: 3, arbitrary: fc.constant([]) },
  fc.uniqueArray(fc.oneof(plainKey, foreignKey), {
    selector: ({ keyFormat }) => keyFormat,
    maxLength: 3,
  }),
)

const segment = fc.record({
  uri,
  durationS: fc.integer({ min: 1, max: 20_000_000 }).map((us) => us / 1e6),
  programDateTimeMs: maybe(fc.integer({ min: 0, max: 4e12 })),
  discontinuity: fc.boolean(),
  gap: fc.boolean(),
  byteRange: maybe(byteRange),
  map: maybe(
    fc.record({ uri: fc.constantFrom('i1.mp4', 'i2.mp4'), byteRange: maybe(byteRange), keys }),
  ),
  keys,
})

const media: fc.Arbitrary<MediaPlaylist> = fc.record({
  version: maybe(fc.integer({ min: 1, max: 12 })),
  targetDuration: fc.integer({ min: 1, max: 1000 }),
  mediaSequence: fc.nat(1e14),
  discontinuitySequence: fc.nat(),
  type: maybe(fc.constantFrom('VOD', 'EVENT')),
  canSkipUntilS: maybe(fc.integer({ min: 6, max: 600 })),
  independentSegments: fc.boolean(),
  segments: fc.array(segment, { maxLength: 20 }),
  endList: fc.boolean(),
})

const multivariant: fc.Arbitrary<MultivariantPlaylist> = fc.record({
  version: maybe(fc.integer({ min: 1, max: 12 })),
  independentSegments: fc.boolean(),
  audio: fc.uniqueArray(
    fc.record({
      groupId: text,
      name: text,
      uri: maybe(uri),
      isDefault: fc.boolean(),
      isAutoselect: fc.boolean(),
      channels: maybe(fc.constantFrom('1', '2', '6')),
    }),
    { selector: ({ groupId, name }) => `${groupId}\n${name}`, maxLength: 4 },
  ),
  variants: fc.array(
    fc.record({
      uri,
      bandwidth: fc.nat(),
      averageBandwidth: maybe(fc.nat()),
      codecs: fc.array(fc.constantFrom('avc1.64001f', 'mp4a.40.2', 'hvc1.1.6.L93.B0')),
      resolution: maybe(
        fc.record({
          width: fc.integer({ min: 1, max: 8192 }),
          height: fc.integer({ min: 1, max: 8192 }),
        }),
      ),
      closedCaptions: maybe(fc.constant('NONE' as const)),
      videoRange: maybe(fc.constantFrom('PQ' as const, 'HLG' as const)),
      frameRate: maybe(fc.integer({ min: 1, max: 120_000 }).map((millis) => millis / 1000)),
      audioGroup: maybe(text),
    }),
    { minLength: 1, maxLength: 4 },
  ),
})

describe('reader and writer meet in one type', () => {
  test('a media playlist that was written, read and written again is the same text', () => {
    fc.assert(
      fc.property(media, (playlist) => {
        const written = writeMedia(playlist)
        expect(writeMedia(parseMedia(written))).toBe(written)
      }),
    )
  })

  test('what is read of a written media playlist is what was written', () => {
    fc.assert(
      fc.property(media, (playlist) => {
        const read = parseMedia(writeMedia(playlist))
        expect({ ...read, segments: [] }).toEqual({ ...playlist, segments: [] })
        expect(read.segments.map(own)).toEqual(playlist.segments.map(own))
        expect(read.segments.filter(isThere).map((one) => one.keys)).toEqual(
          playlist.segments.filter(isThere).map((one) => one.keys),
        )
      }),
    )
  })

  test('a multivariant playlist is read as it was written, and written again as it was', () => {
    fc.assert(
      fc.property(multivariant, (playlist) => {
        const written = writeMultivariant(playlist)
        expect(parseMultivariant(written)).toEqual(playlist)
        expect(writeMultivariant(parseMultivariant(written))).toBe(written)
      }),
    )
  })

  test('the newest segments are those of the whole list, numbers and context included', () => {
    fc.assert(
      fc.property(media, fc.nat(20), (playlist, newest) => {
        const whole = parseMedia(writeMedia(playlist))
        const tail = parseMedia(writeMedia(playlist), { newest })
        const left = Math.max(0, whole.segments.length - newest)
        const old = whole.segments.slice(0, left)
        expect({ ...tail, segments: [] }).toEqual({
          ...whole,
          mediaSequence: whole.mediaSequence + left,
          discontinuitySequence:
            whole.discontinuitySequence + old.filter(({ discontinuity }) => discontinuity).length,
          segments: [],
        })
        // The first one may have got the date that follows from those before it.
        const [first, ...others] = tail.segments
        const [same, ...rest] = whole.segments.slice(left)
        expect(others).toEqual(rest)
        expect(first).toEqual(
          same === undefined ? undefined : { ...same, programDateTimeMs: first?.programDateTimeMs },
        )
      }),
      { numRuns: 300 },
    )
  })

  test('a media playlist in pieces is the same text', () => {
    fc.assert(
      fc.property(media, fc.nat(20), (playlist, at) => {
        const { segments } = playlist
        // What holds for the second run is known of the segments before, gaps left out.
        const context = segments
          .slice(0, at)
          .filter(isThere)
          .reduce((before, { map, keys: held }) => ({ map: map ?? before.map, keys: held }), {
            map: undefined,
            keys: [],
          } as { map: (typeof segments)[0]['map']; keys: readonly MediaPlaylistKey[] })
        const pieces = [
          writeHead(playlist),
          writeSegments(segments.slice(0, at)),
          writeSegments(segments.slice(at), context),
          writeEnd(playlist),
        ]
        expect(pieces.join('')).toBe(writeMedia(playlist))
      }),
    )
  })
})

function isThere({ gap }: { readonly gap: boolean }): boolean {
  return !gap
}

/** What a segment says of itself alone. */
function own(one: MediaPlaylist['segments'][0]): unknown {
  const { uri: name, durationS, programDateTimeMs, discontinuity, gap, byteRange: range } = one
  return { name, durationS, programDateTimeMs, discontinuity, gap, range }
}

describe('the golden lists of the renderers are read and written to the byte', () => {
  const golden = (name: string): string =>
    readFileSync(new URL(`../../render/golden/${name}.m3u8`, import.meta.url), 'utf8')

  test.each(['empty', 'eventful-audio', 'eventful-video'])('%s', (name) => {
    expect(writeMedia(parseMedia(golden(name)))).toBe(golden(name))
  })

  test.each(['master-audio', 'master-audio-video', 'master-video'])('%s', (name) => {
    expect(writeMultivariant(parseMultivariant(golden(name)))).toBe(golden(name))
  })
})

test('what cannot stand in a playlist is not written', () => {
  const one = { durationS: 1, discontinuity: false, gap: false }
  for (const name of ['', '#EXT-X-ENDLIST', ' a', 'a\nb', 'a\rb']) {
    expect(() => writeSegments([{ ...one, uri: name, keys: [] }]), JSON.stringify(name)).toThrow(
      RangeError,
    )
  }
  const key = { method: 'AES 128', uri: 'k', keyFormat: 'identity' }
  expect(() => writeSegments([{ ...one, uri: 'a', keys: [key] }])).toThrow(RangeError)
  expect(() =>
    writeSegments([{ ...one, uri: 'a', keys: [], map: { uri: 'i"', keys: [] } }]),
  ).toThrow(RangeError)
})
