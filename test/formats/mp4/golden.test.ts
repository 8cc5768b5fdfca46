import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { readInit } from '../../../src/formats/mp4/init.ts'
import { readMedia } from '../../../src/formats/mp4/media.ts'
import { preferHvc1 } from '../../../src/formats/mp4/prefer-hvc1.ts'
import { readMovie } from '../../../src/formats/mp4/read-movie.ts'
import { rewriteMedia } from '../../../src/formats/mp4/rewrite.ts'
import { splitInit, splitMedia } from '../../../src/formats/mp4/split.ts'
import { writeTrack } from '../../../src/formats/mp4/write-track.ts'
import { layOut, type MovieFragment } from '../../support/movie-file.ts'
import {
  box,
  CLIPS,
  type ClipName,
  MUXED,
  readClip,
  readMuxed,
  withShortTfdt,
} from '../../support/mp4.ts'

/**
 * What we write, byte for byte: a segment keeps its bytes when it is fetched and written again (G1), by a
 * newer release too. A line is a name, the length and a hash. After a change that is meant: vitest -u.
 */
const lines: string[] = []

function note(name: string, bytes: Buffer): void {
  const hash = createHash('sha256').update(bytes).digest('hex').slice(0, 16)
  lines.push(`${name} ${bytes.length} ${hash}`)
}

const EPOCH_S = Date.UTC(2026, 0, 1) / 1000

function noteRewritten(name: ClipName): void {
  const { init, fragments } = readClip(name)
  const { timescale } = readInit(init)
  for (const [i, fragment] of fragments.entries()) {
    const baseTicks = (EPOCH_S + i) * timescale
    note(`rewritten ${name} ${i}`, rewriteMedia(fragment, { baseTicks, sequenceNumber: 100 + i }))
  }
}

function noteSplit(name: (typeof MUXED)[number]): void {
  const { init: whole, media } = readMuxed(name)
  for (const init of splitInit(whole)) {
    const facts = readInit(init)
    note(`init of ${name} ${facts.rendition}`, init)
    const bytes = splitMedia(media, facts)
    if (bytes === undefined) throw new Error(`no ${facts.rendition}`)
    note(`track of ${name} ${facts.rendition}`, bytes)
    const place = { baseTicks: EPOCH_S * facts.timescale, sequenceNumber: 7 }
    note(`rewritten track of ${name} ${facts.rendition}`, rewriteMedia(bytes, place))
  }
}

/** Read as samples, and written from them. */
function noteWritten(name: 'avc' | 'avc-bframes' | 'hevc' | 'aac' | (typeof MUXED)[number]): void {
  const movie = readMovie(readFileSync(new URL(`golden/${name}.mp4`, import.meta.url)))
  for (const track of [movie.video, movie.audio]) {
    if (track === undefined) continue
    const { initBytes, bytes } = writeTrack(track)
    note(`written init of ${name} ${track.description.codec}`, initBytes)
    note(`written track of ${name} ${track.description.codec}`, bytes)
  }
}

/** A clip's fragments so many seconds after the epoch. */
function recorded(name: ClipName, atS: number): MovieFragment[] {
  const { init: initBytes, fragments } = readClip(name)
  const init = readInit(initBytes)
  return fragments.map((fragment) => {
    const own = readMedia(fragment, init).baseTicks
    const baseTicks = own + Math.round((EPOCH_S + atS) * init.timescale)
    return [{ init, initBytes, bytes: rewriteMedia(fragment, { baseTicks, sequenceNumber: 1 }) }]
  })
}

function together(a: readonly MovieFragment[], b: readonly MovieFragment[]): MovieFragment[] {
  return a.map((fragment, i) => [...fragment, ...(b[i] ?? [])])
}

test('G1: what we write stays the same to the bit', async () => {
  for (const name of CLIPS) noteRewritten(name)
  const avc = readClip('avc').fragments[1] ?? Buffer.alloc(0)
  const place = { baseTicks: EPOCH_S * 15_360, sequenceNumber: 2 ** 32 + 1 }
  note('rewritten avc with a short tfdt', rewriteMedia(withShortTfdt(avc, 7), place))
  const others = ['styp', 'sidx', 'prft', 'emsg'].map((type) => box(type, Buffer.alloc(4)))
  note('rewritten avc behind other boxes', rewriteMedia(Buffer.concat([...others, avc]), place))
  const hev1 = Buffer.from(readClip('hevc').init)
  hev1.write('hev1', hev1.indexOf('hvc1'), 'latin1')
  note('hev1 as hvc1', preferHvc1(hev1))
  for (const name of MUXED) noteSplit(name)
  for (const name of ['avc', 'avc-bframes', 'hevc', 'aac', ...MUXED] as const) noteWritten(name)
  for (const name of CLIPS) note(`head of a clip of ${name}`, layOut(recorded(name, 0)).head)
  const both = together(recorded('avc-bframes', 0), recorded('aac', 0.3))
  note('head of a clip of two tracks', layOut(both).head)
  const changing = [...recorded('avc', 0), ...recorded('avc-bframes', 4), ...recorded('avc', 14)]
  note('head of a clip with a change and a gap', layOut(changing).head)
  await expect(`${lines.join('\n')}\n`).toMatchFileSnapshot('golden/written.txt')
})
