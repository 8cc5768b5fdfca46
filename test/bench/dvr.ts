import { gzipSync } from 'node:zlib'
import { RenderedLists, type RenderedPlaylist } from '../../src/http/rendered-lists.ts'
import { dvrForm } from '../../src/render/list-form.ts'
import { contentId } from '../../src/store/content-id.ts'
import { DvrIndex } from '../../src/timeline/dvr/dvr-index.ts'
import { liveSegment } from '../../src/timeline/dvr/dvr-segment.ts'
import { initLine, listLine, liveLine, readJournal } from '../../src/timeline/dvr/journal.ts'
import { toRecord } from '../../src/timeline/dvr/record.ts'
import type { Segment } from '../../src/timeline/fragment.ts'
import { usedBytes } from '../e2e/support/heap.ts'
import { readClip } from '../support/mp4.ts'
import { FIRST_MSN, FRAGMENT_MS, LIVE, segmentAt } from '../timeline/dvr/history.ts'
import type { BenchReport } from './bench-report.ts'

const HOURS = 12
const SEGMENTS = (HOURS * 3_600_000) / FRAGMENT_MS
const START_MS = Date.UTC(2026, 0, 1)
const MB = 1e6

/** 12 hours of DVR of 2-s fragments, sound and picture: what one stream costs. */
export async function run(): Promise<BenchReport> {
  const before = await usedBytes()
  const index = new DvrIndex({ dvrMs: HOURS * 3_600_000 })
  const appendMs = timed(() => {
    for (let i = 0; i < SEGMENTS; i += 1) append(index, i)
  })
  const indexBytes = (await usedBytes()) - before
  const rendered = new RenderedLists()
  const form = dvrForm(0)
  const list = () => {
    const made = index.list(LIVE)
    if (made === undefined) throw new Error('no list')
    return made
  }
  const whole = async () => [
    await rendered.get(list(), 'video', form),
    await rendered.get(list(), 'audio', form),
  ]
  const delta = async () => [
    await rendered.delta(list(), 'video', form),
    await rendered.delta(list(), 'audio', form),
  ]
  const firstMs = await timedAsync(whole)
  const [video] = await whole()
  const textBytes = (await usedBytes()) - before - indexBytes
  const nextMs = await perVersion(index, whole)
  const deltaMs = await perVersion(index, delta)
  const [skipped] = await delta()
  const lines = journalOf(index)
  const restoreMs = timed(() => {
    const content = readJournal(lines)
    DvrIndex.restore(toRecord(content, { nextMsn: undefined, nowMs: START_MS }), {
      dvrMs: HOURS * 3_600_000,
    })
  })
  return {
    name: 'dvr',
    what: `${HOURS} hours of ${FRAGMENT_MS / 1000}-s fragments, sound and picture, one stream`,
    rows: [
      row('index, in memory', indexBytes / MB, 'MB'),
      row('lists, in memory once somebody watches', textBytes / MB, 'MB'),
      row('a segment more', (appendMs * 1000) / SEGMENTS, 'µs'),
      row('first list, both renditions', firstMs, 'ms'),
      row('next list, both renditions', nextMs, 'ms'),
      row('next delta, both renditions', deltaMs, 'ms'),
      row('list of video', sizeOf(video, 'identity') / 1000, 'kB'),
      row('list of video, gzip', sizeOf(video, 'gzip') / 1000, 'kB'),
      row('the same compressed in one go', wholeGzip(video) / 1000, 'kB'),
      row('delta of video', sizeOf(skipped, 'identity'), 'B'),
      row('delta of video, gzip', sizeOf(skipped, 'gzip'), 'B'),
      row('journal', lines.join('\n').length / MB, 'MB'),
      row('restored from it in', restoreMs, 'ms'),
    ],
  }
}

function append(index: DvrIndex, i: number): void {
  const segment = segmentAt(FIRST_MSN + i, START_MS + i * FRAGMENT_MS)
  index.append(withIds(segment))
}

/** Names as contents have them: they do not compress. */
function withIds(segment: Segment): Segment {
  const { video, audio } = segment.tracks
  if (video === undefined || audio === undefined) return segment
  const id = (name: string): string => contentId(Buffer.from(`${name} ${segment.msn}`))
  const tracks = { video: { ...video, id: id('video') }, audio: { ...audio, id: id('audio') } }
  return { ...segment, tracks }
}

/** How long it takes after each change, on average. */
async function perVersion(index: DvrIndex, render: () => Promise<unknown>): Promise<number> {
  const rounds = 50
  let sumMs = 0
  for (let i = 0; i < rounds; i += 1) {
    append(index, (index.newest?.msn ?? FIRST_MSN) + 1 - FIRST_MSN)
    sumMs += await timedAsync(render)
  }
  return sumMs / rounds
}

function journalOf(index: DvrIndex): readonly string[] {
  const { editions, head } = index
  if (head === undefined) throw new Error('no list')
  const inits = (['avc', 'aac'] as const).map((name) => initLine(readClip(name).init))
  const segments = [...index.segments()].map((segment) => liveLine(liveSegment(segment)))
  return [...inits, ...segments, listLine({ editions, head })]
}

function sizeOf(playlist: RenderedPlaylist | undefined, form: 'identity' | 'gzip'): number {
  return playlist?.[form].bytes ?? 0
}

function wholeGzip(playlist: RenderedPlaylist | undefined): number {
  return gzipSync(Buffer.concat(playlist?.identity.body ?? [])).length
}

function row(what: string, value: number, unit: string): Readonly<Record<string, string | number>> {
  return { what, value, unit }
}

function timed(work: () => void): number {
  const startMs = performance.now()
  work()
  return performance.now() - startMs
}

async function timedAsync(work: () => Promise<unknown>): Promise<number> {
  const startMs = performance.now()
  await work()
  return performance.now() - startMs
}
