import fc from 'fast-check'
import { expect, test } from 'vitest'
import { parseMedia } from '../../../src/formats/m3u8/parse-media.ts'
import { FragmentLists } from '../../../src/upstream/kvs/fragment-lists.ts'
import { listFragments } from '../../../src/upstream/kvs/list-fragments.ts'
import { MapGenerations } from '../../../src/upstream/kvs/map-generations.ts'
import type { ListedFragment } from '../../../src/upstream/listed-fragment.ts'

const SESSION = new URL(
  'https://b-1234abcd.kinesisvideo.us-west-2.amazonaws.com/hls/v1/m.m3u8?SessionToken=Ci~',
)
const START_MS = Date.UTC(2026, 0, 1)

/** What a camera does from one fragment to the next. */
interface Step {
  readonly gapMs: number
  readonly changesMap: boolean
  readonly breaks: boolean
}

/** Writes the fragments from one to another, as KVS does: a tag for the map at the top, and where it changes. */
function write(steps: readonly Step[], from: number, to: number): string {
  const lines = steps.slice(0, to).map(({ gapMs, changesMap, breaks }, i) => {
    const startMs = START_MS + 1000 * i + sum(steps.slice(0, i + 1).map((step) => step.gapMs))
    const map = steps.slice(0, i + 1).filter((step) => step.changesMap).length
    return [
      ...(breaks || gapMs > 0 ? ['#EXT-X-DISCONTINUITY'] : []),
      ...(i === from || changesMap
        ? [`#EXT-X-MAP:URI="init.mp4?SessionToken=Ci~&SequenceNumber=${map}"`]
        : []),
      `#EXT-X-PROGRAM-DATE-TIME:${new Date(startMs).toISOString()}`,
      `#EXTINF:1.0,`,
      `f.mp4?FragmentNumber=${2n ** 156n + BigInt(i)}&SessionToken=Ci~&TrackNumber=1`,
    ].join('\n')
  })
  const head = `#EXTM3U\n#EXT-X-TARGETDURATION:2\n#EXT-X-MEDIA-SEQUENCE:${from}`
  return `${[head, ...lines.slice(from)].join('\n')}\n`
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0)
}

function facts(fragments: readonly ListedFragment[]): readonly unknown[] {
  return fragments.map(({ uri, map, ...rest }) => ({
    ...rest,
    uri: uri.reveal().href,
    map: map && { key: map.key, uri: map.uri.reveal().href },
  }))
}

const step = fc.record({
  gapMs: fc.constantFrom(0, 0, 0, 400),
  changesMap: fc.constantFrom(false, false, true),
  breaks: fc.constantFrom(false, false, false, true),
})

test('however a list goes on, reading what is new tells what reading all of it does', () => {
  const steps = fc.array(step, { minLength: 40, maxLength: 40 })
  // How far its end and its beginning go on from one look to the next.
  const looks = fc.array(fc.tuple(fc.nat(4), fc.nat(6)), { minLength: 1, maxLength: 12 })
  fc.assert(
    fc.property(steps, looks, (camera, moves) => {
      const lists = new FragmentLists()
      const generations = new MapGenerations()
      let [from, to] = [0, 3]
      for (const [listed, left] of [[0, 0], ...moves] as const) {
        to = Math.min(camera.length, to + listed)
        from = Math.min(to - 1, from + left)
        const text = write(camera, from, to)
        const all = listFragments(parseMedia(text), SESSION, generations)
        expect(facts(lists.read(text, SESSION))).toEqual(facts(all))
      }
      expect(lists.generations.changes).toBe(generations.changes)
    }),
  )
})

test('what was listed twice is the same value', () => {
  const camera = Array.from({ length: 5 }, () => ({ gapMs: 0, changesMap: false, breaks: false }))
  const lists = new FragmentLists()
  const before = lists.read(write(camera, 0, 3), SESSION)
  const after = lists.read(write(camera, 1, 4), SESSION)
  expect(after.slice(0, 2)).toEqual(before.slice(1))
  expect(after[0]).toBe(before[1])
  expect(lists.read(write(camera, 1, 4), SESSION)).toBe(after)
})

test('a list that is cut within a URI is refused, also where the rest is known', () => {
  const camera = Array.from({ length: 5 }, () => ({ gapMs: 0, changesMap: false, breaks: false }))
  for (const to of [3, 4]) {
    const lists = new FragmentLists()
    lists.read(write(camera, 0, 3), SESSION)
    const cut = write(camera, 0, to).trimEnd()
    for (const missing of [1, 10, 20, 30]) {
      expect(() => lists.read(cut.slice(0, -missing), SESSION)).toThrow('a usable answer')
    }
    expect(lists.read(write(camera, 0, 4), SESSION)).toHaveLength(4)
  }
})
