import { execFile } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type InitFacts, readInit } from '../../src/formats/mp4/init.ts'
import { readMedia } from '../../src/formats/mp4/media.ts'
import { rewriteMedia } from '../../src/formats/mp4/rewrite.ts'
import { renderMedia, renderMultivariant } from '../../src/render/hls.ts'
import { initUri, mediaPlaylistUri, segmentUri } from '../../src/render/uris.ts'
import type { RenditionName, TrackFacts } from '../../src/timeline/fragment.ts'
import { Timeline } from '../../src/timeline/timeline.ts'
import { fragmentNumber, START_MS } from '../support/camera.ts'
import { type Clip, type ClipName, readClip } from '../support/mp4.ts'

const run = promisify(execFile)

interface Source {
  readonly clip: Clip
  readonly init: InitFacts
}

function source(name: ClipName): Source {
  const clip = readClip(name)
  return { clip, init: readInit(clip.init) }
}

/** The fragment as a session that counts from `zeroMs` into the clip would send it. */
function fetched({ clip, init }: Source, i: number, zeroMs: number): Buffer {
  const bytes = clip.fragments[i]
  if (bytes === undefined) throw new Error(`no fragment ${i}`)
  const ticks = readMedia(bytes, init).baseTicks - (zeroMs / 1000) * init.timescale
  return rewriteMedia(bytes, { baseTicks: Math.round(ticks), sequenceNumber: i })
}

function factsOf(bytes: Buffer, init: InitFacts): TrackFacts {
  return { init, bytes: bytes.length, ...readMedia(bytes, init) }
}

/** Publishes the clips as files, the second half from a session with another base. */
function publish(folder: string, video: Source, audio: Source): void {
  const timeline = Timeline.begin({ window: 6, targetDurationFloorS: () => 1 })
  const sources = { video, audio }
  for (const name of ['video', 'audio'] as const) {
    mkdirSync(join(folder, name), { recursive: true })
    writeFileSync(join(folder, initUri(name, sources[name].init.id)), sources[name].clip.init)
  }
  for (let i = 0; i < 4; i++) {
    const session = i < 2 ? { timeBase: 1, zeroMs: 0 } : { timeBase: 2, zeroMs: 1900 }
    const bytes = {
      video: fetched(video, i, session.zeroMs),
      audio: fetched(audio, i, session.zeroMs),
    }
    const placement = timeline.place({
      source: 'camera',
      number: fragmentNumber(i, START_MS + i * 1000),
      timeBase: session.timeBase,
      startMs: START_MS + i * 1000,
      receivedMs: START_MS + i * 1000 + 1500,
      tracks: {
        video: factsOf(bytes.video, video.init),
        audio: factsOf(bytes.audio, audio.init),
      },
    })
    if (placement.kind !== 'append') throw new Error(placement.kind)
    const { msn, tracks } = placement.segment
    const store = (name: RenditionName): { id: string; bytes: number } => {
      const place = { baseTicks: tracks[name]?.baseTicks ?? 0, sequenceNumber: msn }
      const rewritten = rewriteMedia(bytes[name], place)
      writeFileSync(join(folder, segmentUri(name, msn, 'x')), rewritten)
      return { id: 'x', bytes: rewritten.length }
    }
    timeline.commit(placement.segment, { video: store('video'), audio: store('audio') })
  }
  write(folder, timeline)
}

function write(folder: string, timeline: Timeline): void {
  const snapshot = timeline.snapshot()
  if (snapshot === undefined) throw new Error('nothing was committed')
  writeFileSync(join(folder, 'master.m3u8'), renderMultivariant(snapshot))
  for (const name of snapshot.renditions) {
    // A list of files does not grow: a player would wait for the rest for ever.
    const list = `${renderMedia(snapshot, name)}#EXT-X-ENDLIST\n`
    writeFileSync(join(folder, mediaPlaylistUri(name)), list)
  }
}

const FFPROBE = '-v error -show_entries packet=dts_time -of csv=p=0'.split(' ')

/** How far the step from each packet to the next is from the first such step, in seconds. */
async function seams(playlist: string): Promise<number[]> {
  const { stdout } = await run('ffprobe', [...FFPROBE, playlist])
  const times = stdout.trim().split('\n').map(Number)
  expect(times.length).toBeGreaterThan(50)
  const steps = times.slice(1).map((time, i) => time - (times[i] ?? Number.NaN))
  return steps.map((step) => Math.abs(step - (steps[0] ?? Number.NaN)))
}

let folder = ''
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'render-'))
})
afterAll(() => {
  rmSync(folder, { recursive: true })
})

test.each<ClipName>(['avc', 'avc-bframes', 'avc-multi', 'hevc'])(
  'G2: ffmpeg plays %s with sound across two sessions as one timeline, without a warning',
  async (name) => {
    const here = join(folder, name)
    publish(here, source(name), source('aac'))
    const master = join(here, 'master.m3u8')
    const { stderr } = await run('ffmpeg', ['-v', 'warning', '-i', master, '-f', 'null', '-'])
    // ffmpeg says this of every fMP4 list.
    expect(
      stderr.split('\n').filter((line) => line !== '' && !/duplicated MOOV/.test(line)),
    ).toEqual([])
    for (const rendition of ['video', 'audio'] as const) {
      const steps = await seams(join(here, mediaPlaylistUri(rendition)))
      expect(Math.max(...steps)).toBeLessThan(0.001)
    }
  },
)
