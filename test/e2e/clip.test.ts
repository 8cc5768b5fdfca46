import { buffer } from 'node:stream/consumers'
import { describe, expect, test } from 'vitest'
import { Clips } from '../../src/archive/clip/clips.ts'
import type { RecordedFragment, RecordedTrack } from '../../src/archive/recording.ts'
import { readInit } from '../../src/formats/mp4/init.ts'
import { readMedia } from '../../src/formats/mp4/media.ts'
import { decodeWithoutWarning } from '../proof/decode.ts'
import { ManualClock } from '../support/manual-clock.ts'
import { during, pass } from '../support/pace.ts'
import { hasTool } from '../support/tools.ts'
import { cameraOf, startWorld, type World } from '../support/world.ts'
import { get, type Offer, offers } from './support/listing.ts'

/** Everything that the live playlists list, as a recording of its own. */
async function recordingOf(world: World): Promise<readonly RecordedFragment[]> {
  const listed = Map.groupBy(await offers(world.watchUrl()), ({ msn }) => msn)
  return Promise.all(
    [...listed].map(async ([msn, tracks]) => {
      const recorded = await Promise.all(tracks.map(download))
      const [first] = recorded
      if (first === undefined) throw new Error(`nothing under MSN ${msn}`)
      const { durationTicks } = readMedia(first.bytes, first.init)
      return {
        number: BigInt(msn),
        startMs: (first.baseTicks / first.init.timescale) * 1000,
        durationMs: (durationTicks / first.init.timescale) * 1000,
        discontinuity: tracks.some(({ discontinuity }) => discontinuity),
        tracks: () => Promise.resolve(recorded),
      }
    }),
  )
}

async function download({ url, initUrl }: Offer): Promise<RecordedTrack> {
  const [{ body: initBytes }, { body: bytes }] = await Promise.all([get(initUrl), get(url)])
  const init = readInit(initBytes)
  return { init, initBytes, bytes, baseTicks: readMedia(bytes, init).baseTicks }
}

async function clipOf(fragments: readonly RecordedFragment[], clock: ManualClock): Promise<Buffer> {
  const list = (): Promise<readonly RecordedFragment[]> => Promise.resolve(fragments)
  const { signal } = new AbortController()
  const clips = new Clips({ clock, maxMs: () => 3_600_000, list })
  const [startMs, endMs] = [fragments[0]?.startMs ?? 0, clock.now()]
  const { clip } = await clips.open('lobby', { startMs, endMs }, signal)
  return buffer(clip.read(0, clip.size, signal))
}

const CAMERAS = [
  ['av-360p', ['video', 'audio']],
  ['av-720p', ['video', 'audio']],
  ['av-360p-irregular', ['video', 'audio']],
  ['hevc', ['video', 'audio']],
  ['video-only', ['video']],
  ['audio-only', ['audio']],
] as const

describe.skipIf(!hasTool('ffmpeg') || !hasTool('ffprobe'))('clips of what a camera sends', () => {
  test.each(CAMERAS)('%s: every frame decodes, without a seam', async (clip, renditions) => {
    const clock = new ManualClock()
    const world = await startWorld({
      clock,
      cameras: { lobby: { clip } },
      defaults: { activation: 'always', window: 30 },
    })
    try {
      await pass(clock, 40_000)
      const fragments = await recordingOf(world)
      const { warnings, streams } = await decodeWithoutWarning(await clipOf(fragments, clock))
      expect(warnings).toEqual([])
      expect(streams.map(({ type, gaps }) => [type, gaps])).toEqual(
        renditions.map((rendition) => [rendition, []]),
      )
      for (const { startS, endS } of streams) {
        expect(endS - startS).toBeGreaterThan(20)
        expect(startS - (streams[0]?.startS ?? 0)).toBeCloseTo(0, 0)
      }
    } finally {
      await during(clock, world.close())
    }
  })

  test('over an outage, which lasts as long in the clip', async () => {
    const clock = new ManualClock()
    const world = await startWorld({
      clock,
      cameras: { lobby: { clip: 'av-360p' } },
      defaults: { activation: 'always', window: 30 },
    })
    try {
      await pass(clock, 20_000)
      world.control.stopProducer(cameraOf())
      await pass(clock, 40_000)
      world.control.resumeProducer(cameraOf())
      await pass(clock, 20_000)
      const fragments = await recordingOf(world)
      const { warnings, streams } = await decodeWithoutWarning(await clipOf(fragments, clock))
      const [first, last] = [fragments[0], fragments.at(-1)]
      const lengthS =
        ((last?.startMs ?? 0) + (last?.durationMs ?? 0) - (first?.startMs ?? 0)) / 1000
      expect(lengthS).toBeGreaterThan(60)
      expect(warnings).toEqual([])
      for (const { endS } of streams) expect(endS).toBeCloseTo(lengthS, 0)
    } finally {
      await during(clock, world.close())
    }
  })
})
