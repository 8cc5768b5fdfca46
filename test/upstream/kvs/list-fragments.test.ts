import { expect, test } from 'vitest'
import { parseMedia } from '../../../src/formats/m3u8/parse-media.ts'
import { listFragments, requireMaps } from '../../../src/upstream/kvs/list-fragments.ts'
import { MapGenerations } from '../../../src/upstream/kvs/map-generations.ts'
import type { ListedFragment } from '../../../src/upstream/listed-fragment.ts'

const SESSION = new URL(
  'https://b-1234abcd.kinesisvideo.us-west-2.amazonaws.com/hls/v1/m.m3u8?SessionToken=Ci~',
)
const FIRST = 2n ** 156n + 2n ** 92n

interface Line {
  readonly number: bigint | number | string
  /** Present: an EXT-X-MAP tag before the fragment. */
  readonly map?: string
  readonly dateless?: boolean
}

function playlist(...lines: readonly Line[]): string {
  const fragments = lines.flatMap(({ number, map, dateless }, i) => [
    ...(map === undefined ? [] : [`#EXT-X-MAP:URI="${map}"`]),
    ...(dateless === true ? [] : [`#EXT-X-PROGRAM-DATE-TIME:2026-01-01T00:00:0${i}.000Z`]),
    '#EXTINF:1.0,',
    `getMP4MediaFragment.mp4?FragmentNumber=${number}&SessionToken=Ci~&TrackNumber=1`,
  ])
  return ['#EXTM3U', '#EXT-X-VERSION:7', '#EXT-X-TARGETDURATION:2', ...fragments, ''].join('\n')
}

function list(text: string, generations = new MapGenerations()): readonly ListedFragment[] {
  return listFragments(parseMedia(text), SESSION, generations)
}

const MAP = 'getMP4InitFragment.mp4?SessionToken=Ci~&TrackNumber=1'

test('a fragment is known by its 47-digit number, to the last digit', () => {
  const [fragment] = list(
    playlist({ number: '91343852333185057105875891022195998207386831087', map: MAP }),
  )
  expect(fragment?.number).toBe(91343852333185057105875891022195998207386831087n)
  expect(fragment?.startMs).toBe(Date.UTC(2026, 0, 1))
  expect(fragment?.durationS).toBe(1)
  expect(fragment?.leastMs).toBe(750)
})

test('a session-relative number becomes one made from the date, in the same order', () => {
  const fragments = list(playlist({ number: 0, map: MAP }, { number: 1 }))
  expect(fragments.map(({ number }) => number)).toEqual([
    2n ** 156n + (BigInt(Date.UTC(2026, 0, 1)) << 28n),
    2n ** 156n + (BigInt(Date.UTC(2026, 0, 1, 0, 0, 1)) << 28n),
  ])
})

test.each([
  ['no number', '#EXTINF:1,\nx.mp4?SessionToken=Ci~'],
  ['a number that is none', '#EXTINF:1,\nx.mp4?FragmentNumber=12a'],
  ['a number without end', `#EXTINF:1,\nx.mp4?FragmentNumber=${'9'.repeat(129)}`],
  ['a relative number without a date', '#EXTINF:1,\nx.mp4?FragmentNumber=5'],
  ['a foreign host', `#EXTINF:1,\nhttps://attacker.example/x.mp4?FragmentNumber=${FIRST}`],
])('%s makes the list unusable', (_what, lines) => {
  const text = `#EXTM3U\n#EXT-X-TARGETDURATION:2\n#EXT-X-MAP:URI="${MAP}"\n${lines}\n`
  expect(() => list(text)).toThrow('did not give a usable answer')
})

test('a fragment without an init segment makes the list unusable, unless it needs none', () => {
  const fragments = list(playlist({ number: FIRST }, { number: FIRST + 1n, map: MAP }))
  expect(fragments.map(({ map }) => map !== undefined)).toEqual([false, true])
  expect(() => requireMaps(fragments)).toThrow('did not give a usable answer')
  requireMaps(fragments.slice(1))
})

test('a list that ends within a URI is unusable, rather than a list with a strange token', () => {
  const whole = playlist({ number: FIRST, map: MAP }, { number: FIRST + 1n }).trimEnd()
  for (const missing of [1, 10, 20, 30]) {
    expect(() => list(whole.slice(0, -missing))).toThrow('did not give a usable answer')
  }
})

test.each([
  ['encrypted', '#EXT-X-KEY:METHOD=AES-128,URI="k"'],
  ['part of a file', '#EXT-X-BYTERANGE:10@0'],
  ['led in by part of a file', `#EXT-X-MAP:URI="${MAP}",BYTERANGE="10@0"`],
])('a fragment that is %s does not come from KVS', (_what, tag) => {
  const text = playlist({ number: FIRST, map: MAP }).replace('#EXTINF', `${tag}\n#EXTINF`)
  expect(() => list(text)).toThrow('did not give a usable answer')
})

test('an empty list is a list', () => {
  expect(list(playlist())).toEqual([])
})

test('a map keeps its key while the window slides over it', () => {
  const generations = new MapGenerations()
  const [a] = list(playlist({ number: FIRST, map: MAP }, { number: FIRST + 1n }), generations)
  const [b, c] = list(
    playlist({ number: FIRST + 1n, map: MAP }, { number: FIRST + 2n }),
    generations,
  )

  expect(new Set([a?.map?.key, b?.map?.key, c?.map?.key]).size).toBe(1)
})

test('a second tag is a new map, even under the same URI, and stays itself at the top of later lists', () => {
  const generations = new MapGenerations()
  const first = list(
    playlist({ number: FIRST, map: MAP }, { number: FIRST + 1n, map: MAP }),
    generations,
  )
  const second = list(
    playlist({ number: FIRST + 1n, map: MAP }, { number: FIRST + 2n }),
    generations,
  )

  expect(first[0]?.map?.key).not.toBe(first[1]?.map?.key)
  expect(second[0]?.map?.key).toBe(first[1]?.map?.key)
  expect(second[1]?.map?.key).toBe(first[1]?.map?.key)
})

test('without a common fragment nothing proves that the map is the old one', () => {
  const generations = new MapGenerations()
  const [before] = list(playlist({ number: FIRST, map: MAP }), generations)
  const [after] = list(playlist({ number: FIRST + 9n, map: MAP }), generations)
  expect(after?.map?.key).not.toBe(before?.map?.key)
})

test('changes of codec private data are counted, unseen ones where SequenceNumber tells', () => {
  const generations = new MapGenerations()
  const show = (offset: bigint, ...maps: readonly string[]): number => {
    const lines = maps.map((map, i) => ({ number: FIRST + offset + BigInt(i), map }))
    list(playlist(...lines), generations)
    return generations.changes
  }
  const numbered = (sequence: string): string => `${MAP}&SequenceNumber=${sequence}`
  expect(show(0n, numbered('0'), numbered('1'))).toBe(1)
  expect(show(1n, numbered('1'), numbered('2'))).toBe(2)
  // Nothing of the last list is left, and five came and went.
  expect(show(9n, numbered('8'))).toBe(8)
  // What leaps or goes back counts something else than changes.
  expect(show(20n, numbered('123456'))).toBe(9)
  expect(show(30n, numbered('7'))).toBe(10)
  expect(show(40n, MAP, MAP)).toBe(12)
})

test('G16: neither keys nor fragments show the token', () => {
  const [fragment] = list(playlist({ number: FIRST, map: MAP.replace('Ci~', 'SECRET') }))
  expect(fragment?.map?.key).toBe('getMP4InitFragment.mp4?TrackNumber=1#1')
  const shown = JSON.stringify({ ...fragment, number: String(fragment?.number) })
  expect(shown).not.toMatch(/SECRET|Ci~|b-1234abcd/)
})
