import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { MediaPlaylist, MediaPlaylistKey } from '../../../src/formats/m3u8/media-playlist.ts'
import {
  writeEnd,
  writeHead,
  writeMedia,
  writeSegments,
} from '../../../src/formats/m3u8/write-media.ts'

const maybe = <T>(arb: fc.Arbitrary<T>): fc.Arbitrary<T | undefined> =>
  fc.option(arb, { nil: undefined })

const uri = fc.stringMatching(/^[a-z0-9/_-]{1,20}\.m4s(\?t=[A-Za-z0-9~=&]{1,8})?$/)
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
  mediaSequence: fc.maxSafeNat(),
  discontinuitySequence: fc.nat(),
  type: maybe(fc.constantFrom('VOD', 'EVENT')),
  canSkipUntilS: maybe(fc.integer({ min: 6, max: 600 })),
  independentSegments: fc.boolean(),
  segments: fc.array(segment, { maxLength: 20 }),
  endList: fc.boolean(),
})

describe('the writer', () => {
  test('a media playlist in pieces is the same text', () => {
    fc.assert(
      fc.property(media, fc.nat(20), (playlist, at) => {
        const { segments } = playlist
        // What holds for the second run is known of the segments before, gaps left out.
        const context = segments
          .slice(0, at)
          .filter(isThere)
          .reduce((before, { map, keys: held }) => ({ map: map ?? before.map, keys: held ?? [] }), {
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

test('what cannot stand in a playlist is not written', () => {
  const one = { durationS: 1, discontinuity: false, gap: false }
  for (const name of ['', '#EXT-X-ENDLIST', ' a', 'a\nb', 'a\rb']) {
    expect(() => writeSegments([{ ...one, uri: name }]), JSON.stringify(name)).toThrow(RangeError)
  }
  const key = { method: 'AES 128', uri: 'k', keyFormat: 'identity' }
  expect(() => writeSegments([{ ...one, uri: 'a', keys: [key] }])).toThrow(RangeError)
  expect(() => writeSegments([{ ...one, uri: 'a', map: { uri: 'i"' } }])).toThrow(RangeError)
})
