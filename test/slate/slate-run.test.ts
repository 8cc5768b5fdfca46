import { readdirSync } from 'node:fs'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { readInit } from '../../src/formats/mp4/init.ts'
import { readMedia } from '../../src/formats/mp4/media.ts'
import type { Sample, Track } from '../../src/formats/mp4/track.ts'
import { writeInit } from '../../src/formats/mp4/write-init.ts'
import { chooseSlate } from '../../src/slate/choose.ts'
import { movieLoop, stillLoop } from '../../src/slate/picture-loop.ts'
import { nearestPicture, PICTURES, PICTURES_FOLDER, readPicture } from '../../src/slate/pictures.ts'
import { SlateRun, type SlateSegment } from '../../src/slate/slate-run.ts'
import { type StreamSound, silence } from '../../src/slate/sound.ts'
import { decodeWithoutWarning } from '../proof/decode.ts'

const START_MS = Date.UTC(2026, 0, 1)

const streamSound = (frequencyIndex = 3): StreamSound => {
  const initBytes = writeInit({ codec: 'aac', objectType: 2, frequencyIndex, channels: 1 })
  return { init: readInit(initBytes), initBytes, frameTicks: 1024 }
}

async function pictureOf(codec: 'avc' | 'hevc', width: number, height: number): Promise<Track> {
  const { video } = await readPicture(nearestPicture(codec, { width, height }))
  if (video === undefined) throw new Error('no picture')
  return video
}

function trackOf({ tracks }: SlateSegment, rendition: string) {
  const track = tracks.find((each) => each.rendition === rendition)
  if (track === undefined) throw new Error(`no ${rendition}`)
  return track
}

describe('the pictures that ship', () => {
  test('are all there, and small', () => {
    expect(readdirSync(PICTURES_FOLDER).sort()).toEqual(PICTURES.map(({ file }) => file).sort())
  })

  test.each(PICTURES)('$file decodes, in segments of any length', async (picture) => {
    const { video } = await readPicture(picture)
    if (video === undefined) throw new Error('no picture')
    const run = new SlateRun({ pictures: stillLoop(video), sound: undefined }, START_MS)
    const segments = [1_000, 2_000, 3_700, 20_000].map((lengthMs) => run.next(lengthMs))
    expect(segments.map(({ durationMs }) => Math.round(durationMs))).toEqual([
      1_000, 2_000, 3_700, 20_000,
    ])
    const tracks = segments.map((segment) => trackOf(segment, 'video'))
    const { width, height } = picture
    expect(tracks[0]?.facts.init.video).toEqual({ width, height })
    expect(tracks[0]?.facts.init.codec).toMatch(picture.codec === 'avc' ? /^avc1\.42/ : /^hvc1\./)
    const bytes = [tracks[0]?.initBytes ?? Buffer.alloc(0), ...tracks.map((track) => track.bytes)]
    const decoded = await decodeWithoutWarning(Buffer.concat(bytes))
    expect(decoded.warnings).toEqual([])
    expect(decoded.streams[0]).toMatchObject({ frames: 267, gaps: [] })
  })

  test.each([
    ['avc', 1280, 720, 'avc-1280x720.mp4'],
    ['avc', 3840, 2160, 'avc-1920x1080.mp4'],
    ['avc', 320, 240, 'avc-640x480.mp4'],
    ['avc', 704, 576, 'avc-640x480.mp4'],
    ['avc', 480, 270, 'avc-640x360.mp4'],
    ['hevc', 2560, 1440, 'hevc-1920x1080.mp4'],
  ] as const)('%s of %i × %i: %s', (codec, width, height, file) => {
    expect(nearestPicture(codec, { width, height }).file).toBe(file)
  })
})

describe('a slate', () => {
  test('G7: whatever its segments’ lengths, sound and picture never part, nor leave a gap', async () => {
    const picture = await pictureOf('avc', 640, 360)
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 300, max: 20_000 }), { minLength: 1, maxLength: 30 }),
        fc.constantFrom(3, 4, 5, 8, 11),
        (lengths, frequencyIndex) => {
          const sound = silence(streamSound(frequencyIndex))
          const run = new SlateRun({ pictures: stillLoop(picture), sound }, START_MS)
          const ends: Record<string, number> = {}
          for (const lengthMs of lengths) {
            const segment = run.next(lengthMs)
            for (const { rendition, facts, bytes } of segment.tracks) {
              const { baseTicks, durationTicks, init } = facts
              expect(readMedia(bytes, init)).toMatchObject({ baseTicks, durationTicks })
              expect(baseTicks).toBe(ends[rendition] ?? baseTicks)
              ends[rendition] = baseTicks + durationTicks
            }
            const [video, audio] = segment.tracks
            const frameMs = (1024 / (audio?.facts.init.timescale ?? 1)) * 1_000
            const endsMs = [video, audio].map((track) => {
              const { baseTicks = 0, durationTicks = 0, init } = track?.facts ?? {}
              return ((baseTicks + durationTicks) / (init?.timescale ?? 1)) * 1_000
            })
            expect(Math.abs((endsMs[0] ?? 0) - (endsMs[1] ?? 0))).toBeLessThanOrEqual(frameMs)
          }
        },
      ),
      { numRuns: 30 },
    )
  })

  test('goes on to the tick where an earlier process stopped', async () => {
    const picture = await pictureOf('avc', 640, 360)
    const sound = silence(streamSound(4))
    const first = new SlateRun({ pictures: stillLoop(picture), sound }, START_MS + 0.37)
    const segments = [first.next(1_900), first.next(2_100)]
    const ends = segments.at(-1)?.tracks.map(({ rendition, facts }) => {
      const endTicks = facts.baseTicks + facts.durationTicks
      return [rendition, (endTicks / facts.init.timescale) * 1_000] as const
    })
    const again = new SlateRun(
      { pictures: stillLoop(picture), sound },
      START_MS,
      Object.fromEntries(ends ?? []),
    )
    const [goesOn, went] = [again.next(2_000), first.next(2_000)]
    for (const rendition of ['video', 'audio']) {
      expect(trackOf(goesOn, rendition).facts.baseTicks).toBe(
        trackOf(went, rendition).facts.baseTicks,
      )
    }
  })
})

describe('a file that loops', () => {
  const sample = (i: number, key: boolean): Sample => ({
    dts: i * 3_600,
    pts: i * 3_600,
    duration: 3_600,
    key,
    data: Buffer.from([i]),
  })
  /** Keyframes at 0, 1 and 3 seconds of four. */
  const samples = Array.from({ length: 100 }, (_, i) => sample(i, [0, 25, 75].includes(i)))
  const description = { codec: 'avc', sequenceSets: [], pictureSets: [] } as const
  const seconds = (cut: readonly Sample[]) => cut.map(({ data }) => data[0] ?? 0)

  test('is cut at keyframes, and begins again without a hole', () => {
    const pictures = movieLoop({ description, samples })
    const cuts = Array.from({ length: 4 }, () => pictures.next(2 * 90_000))
    expect(cuts.map(({ samples: [first] }) => first?.key)).toEqual([true, true, true, true])
    expect(cuts.map(({ fromTicks }) => fromTicks / 90_000)).toEqual([0, 1, 3, 1])
    const shown = cuts.flatMap((cut) => seconds(cut.samples))
    expect(shown).toEqual(shown.map((_, i) => i % 100))
  })

  test('is not shown when it cannot be cut finely enough, or is of another codec', async () => {
    const picture = await pictureOf('avc', 640, 360)
    const init = readInit(writeInit(picture.description))
    const media = { video: init, audio: streamSound() }
    const file = { video: { description: picture.description, samples }, audio: undefined }
    expect((await chooseSlate(media, file, 2_000)).unfit).toBeUndefined()
    expect((await chooseSlate(media, file, 1_900)).unfit).toMatch(/keyframes/)
    const other = { video: await pictureOf('hevc', 640, 360), audio: undefined }
    const chosen = await chooseSlate(media, other, 60_000)
    expect(chosen.unfit).toMatch(/codec/)
    expect(chosen.pictures?.description.codec).toBe('avc')
  })
})
