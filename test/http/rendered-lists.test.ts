import { gunzipSync } from 'node:zlib'
import { expect, test } from 'vitest'
import { PastList } from '../../src/archive/past-list.ts'
import { RenderedLists, type RenderedPlaylist } from '../../src/http/rendered-lists.ts'
import { archiveForm, dvrForm, LIVE_FORM } from '../../src/render/list-form.ts'
import { DvrIndex } from '../../src/timeline/dvr/dvr-index.ts'
import type { InitFacts, Segment } from '../../src/timeline/fragment.ts'
import type { DvrList } from '../../src/timeline/segment-list.ts'
import { usedBytes } from '../e2e/support/heap.ts'
import { parseMediaPlaylist } from '../proof/media-playlist.ts'
import { segment, snapshot } from '../support/literal-stream.ts'
import { FIRST_MSN, FRAGMENT_MS, LIVE, segmentAt } from '../timeline/dvr/history.ts'

const FORM = dvrForm(1)
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
  const whole = await new RenderedLists().get(listOf(index(COUNT)), 'video', FORM)
  const { segments, mediaSequence } = parseMediaPlaylist(text(whole))
  expect([mediaSequence, segments.length]).toEqual([FIRST_MSN, COUNT])
  expect(text(whole).match(/#EXT-X-MAP/g)).toHaveLength(3)
  expect(segments.filter(({ mapUri }) => mapUri?.includes('other') === true)).toHaveLength(212)
  expect(gunzipSync(Buffer.concat(whole.gzip.body)).toString()).toBe(text(whole))
})

test('G18: each block takes the memory of its text, and of nothing else', async () => {
  const { identity, gzip } = await new RenderedLists().get(listOf(index(COUNT)), 'video', FORM)
  for (const body of [identity.body, gzip.body]) {
    const blocks = body.filter(({ length }) => length > 500).slice(0, -1)
    expect(blocks.length).toBeGreaterThan(20)
    expect(blocks.map((block) => block.buffer.byteLength)).toEqual(blocks.map((b) => b.length))
  }
})

test('who follows it gets what has changed, from a list that was kept', async () => {
  const rendered = new RenderedLists()
  const made = index(COUNT)
  const before = await rendered.get(listOf(made), 'video', FORM)
  made.append(segmentAt(FIRST_MSN + COUNT, START_MS + COUNT * FRAGMENT_MS))
  const after = rendered.get(listOf(made), 'video', FORM)
  // Nothing to wait for: all but the tail is there.
  expect(after).not.toBeInstanceOf(Promise)
  const [was, is] = [text(before), text(await after)]
  expect(is.startsWith(was.trimEnd())).toBe(true)
  expect((await after).identity.etag).not.toBe(before.identity.etag)
  expect(await rendered.get(listOf(made), 'video', FORM)).toBe(await after)
})

test('a stream that has ended says so, in the list and in what has changed', async () => {
  const rendered = new RenderedLists()
  const made = index(100)
  expect(text(await rendered.get(listOf(made), 'audio', FORM))).not.toContain('ENDLIST')
  for (const form of ['get', 'delta'] as const) {
    expect(text(await rendered[form](listOf(made, true), 'audio', FORM))).toMatch(
      /\n#EXT-X-ENDLIST\n$/,
    )
  }
})

test('a herd on one change renders each playlist once', async () => {
  const rendered = new RenderedLists()
  const live = snapshot(1, [segment(100)])
  expect(rendered.get(live, 'video', LIVE_FORM)).toBe(rendered.get(live, 'video', LIVE_FORM))
  expect(rendered.get(snapshot(1, [segment(100)]), 'video', LIVE_FORM)).not.toBe(
    rendered.get(live, 'video', LIVE_FORM),
  )
  const long = listOf(index(COUNT))
  const first = rendered.get(long, 'video', FORM)
  expect(rendered.get(long, 'video', FORM)).toBe(first)
  expect(rendered.get(long, 'video', FORM)).toBe(first)
  expect(rendered.delta(long, 'video', FORM)).toBe(rendered.delta(long, 'video', FORM))
  await first
})

test('G18: a list of the past that grows for an hour takes what its text takes', async () => {
  const rendered = new RenderedLists()
  const form = archiveForm('0-open')
  const list = new PastList('dates')
  const shown = () => list.listed({ targetDuration: 3, type: 'EVENT', ended: false })
  const before = await usedBytes()
  for (let i = 0; i < 1_800; i += 1) {
    list.addLive(segmentAt(FIRST_MSN + i, START_MS + i * FRAGMENT_MS), () => undefined)
    await rendered.get(shown(), 'video', form)
    // Others cut their buffers from the same slabs.
    Buffer.from('x'.repeat(20_000))
  }
  const last = await rendered.get(shown(), 'video', form)
  expect(parseMediaPlaylist(text(last)).segments).toHaveLength(1_800)
  expect((await usedBytes()) - before).toBeLessThan(4 * 2 ** 20)
})

test('another process serves a list that it was sent alike', async () => {
  const rendered = new RenderedLists()
  const dvr = listOf(index(300))
  const live = snapshot(1, [segment(100)])
  expect(dvr.blocks.length).toBeGreaterThan(1)
  expect(text(await rendered.get(structuredClone(dvr), 'video', FORM))).toBe(
    text(await rendered.get(dvr, 'video', FORM)),
  )
  expect(text(await rendered.get(structuredClone(live), 'master', LIVE_FORM))).toBe(
    text(await rendered.get(live, 'master', LIVE_FORM)),
  )
})
