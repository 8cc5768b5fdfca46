import { gunzipSync } from 'node:zlib'
import { expect, test } from 'vitest'
import { RenderedDvr } from '../../src/http/rendered-dvr.ts'
import type { RenderedPlaylist } from '../../src/http/rendered-playlists.ts'
import { DvrIndex } from '../../src/timeline/dvr/dvr-index.ts'
import type { DvrList } from '../../src/timeline/dvr/dvr-list.ts'
import type { InitFacts, Segment } from '../../src/timeline/fragment.ts'
import { parseMediaPlaylist } from '../proof/media-playlist.ts'
import { FIRST_MSN, FRAGMENT_MS, LIVE, segmentAt } from '../timeline/dvr/history.ts'

const START_MS = Date.UTC(2026, 0, 1)
const COUNT = 3_000

/** Codec private data changes in the middle of a block, and back at the border of another. */
function withInit(segment: Segment, i: number): Segment {
  const { video } = segment.tracks
  if (video === undefined || i < 300 || i >= 512) return segment
  const init: InitFacts = { ...video.init, id: 'other' }
  return { ...segment, tracks: { ...segment.tracks, video: { ...video, init } } }
}

function index(count: number): DvrIndex {
  const made = new DvrIndex({ dvrMs: 86_400_000 })
  for (let i = 0; i < count; i += 1) {
    made.append(withInit(segmentAt(FIRST_MSN + i, START_MS + i * FRAGMENT_MS), i))
  }
  return made
}

function listOf(made: DvrIndex, ended = false): DvrList {
  const list = made.list({ ...LIVE, ended })
  if (list === undefined) throw new Error('no list')
  return list
}

const text = ({ identity }: RenderedPlaylist): string => Buffer.concat(identity.body).toString()

test('a list in blocks is one list: each MAP once, every segment, the same in gzip', async () => {
  const whole = await new RenderedDvr().whole(listOf(index(COUNT)), 'video')
  const { segments, mediaSequence } = parseMediaPlaylist(text(whole))
  expect([mediaSequence, segments.length]).toEqual([FIRST_MSN, COUNT])
  expect(text(whole).match(/#EXT-X-MAP/g)).toHaveLength(3)
  expect(segments.filter(({ mapUri }) => mapUri?.includes('other') === true)).toHaveLength(212)
  expect(gunzipSync(Buffer.concat(whole.gzip.body)).toString()).toBe(text(whole))
})

test('G18: each block takes the memory of its text, and of nothing else', async () => {
  const { identity, gzip } = await new RenderedDvr().whole(listOf(index(COUNT)), 'video')
  for (const body of [identity.body, gzip.body]) {
    const blocks = body.filter(({ length }) => length > 500).slice(0, -1)
    expect(blocks.length).toBeGreaterThan(20)
    expect(blocks.map((block) => block.buffer.byteLength)).toEqual(blocks.map((b) => b.length))
  }
})

test('who follows it gets what has changed, from a list that was kept', async () => {
  const rendered = new RenderedDvr()
  const made = index(COUNT)
  const before = await rendered.whole(listOf(made), 'video')
  made.append(segmentAt(FIRST_MSN + COUNT, START_MS + COUNT * FRAGMENT_MS))
  const after = rendered.whole(listOf(made), 'video')
  // Nothing to wait for: all but the tail is there.
  expect(after).not.toBeInstanceOf(Promise)
  const [was, is] = [text(before), text(await after)]
  expect(is.startsWith(was.trimEnd())).toBe(true)
  expect((await after).identity.etag).not.toBe(before.identity.etag)
  expect(await rendered.whole(listOf(made), 'video')).toBe(await after)
})

test('a stream that has ended says so, in the list and in what has changed', async () => {
  const rendered = new RenderedDvr()
  const made = index(100)
  expect(text(await rendered.whole(listOf(made), 'audio'))).not.toContain('ENDLIST')
  for (const form of ['whole', 'delta'] as const) {
    expect(text(await rendered[form](listOf(made, true), 'audio'))).toMatch(/\n#EXT-X-ENDLIST\n$/)
  }
})
