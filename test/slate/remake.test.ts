import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { beforeAll, describe, expect, test } from 'vitest'
import { readInit } from '../../src/formats/mp4/init.ts'
import { type Movie, readMovie } from '../../src/formats/mp4/read-movie.ts'
import { rewriteMedia } from '../../src/formats/mp4/rewrite.ts'
import { writeInit } from '../../src/formats/mp4/write-init.ts'
import { chooseSlate } from '../../src/slate/choose.ts'
import { remakes } from '../../src/slate/remake.ts'
import { SlateRun, type SlateSegment } from '../../src/slate/slate-run.ts'
import { type StreamSound, silence } from '../../src/slate/sound.ts'
import { contentId } from '../../src/store/content-id.ts'
import type { RenditionName, Segment, SegmentTrack } from '../../src/timeline/fragment.ts'
import { runTool } from '../proof/ffmpeg.ts'

const START_MS = Date.UTC(2026, 0, 1, 10, 20, 30, 456)
const MSN = 246_912_345

const streamSound = (frequencyIndex = 3): StreamSound => {
  const initBytes = writeInit({ codec: 'aac', objectType: 2, frequencyIndex, channels: 1 })
  return { init: readInit(initBytes), initBytes, frameTicks: 1024 }
}

/** As the publisher stores it, and what is known of it then. */
function published({ tracks }: SlateSegment) {
  const stored = new Map<RenditionName, Buffer>()
  const known: Partial<Record<RenditionName, SegmentTrack>> = {}
  for (const { rendition, facts, bytes } of tracks) {
    const placed = rewriteMedia(bytes, { baseTicks: facts.baseTicks, sequenceNumber: MSN })
    stored.set(rendition, placed)
    known[rendition] = { ...facts, bytes: placed.length, id: contentId(placed) }
  }
  return { stored, segment: { msn: MSN, tracks: known } }
}

/** Whether a track's bytes are among those that are made of it. */
async function isRemade(
  segment: Pick<Segment, 'msn' | 'tracks'>,
  rendition: RenditionName,
  wanted: Buffer,
  film?: Movie,
): Promise<boolean> {
  for await (const bytes of remakes(segment, rendition, film)) if (bytes.equals(wanted)) return true
  return false
}

/** A film that the encoder makes: seven seconds that move, in groups of unequal length, and a tone. */
async function film(sound: readonly string[]): Promise<Movie> {
  const dir = await mkdtemp(join(tmpdir(), 'kvs-film-'))
  const file = join(dir, 'film.mp4')
  const picture = ['-f', 'lavfi', '-i', 'testsrc2=s=320x180:r=25:d=7.3']
  const video = ['-c:v', 'libx264', '-g', '20', '-bf', '2', '-pix_fmt', 'yuv420p', '-threads', '1']
  const output = ['-c:a', 'aac', file]
  const { code } = await runTool('ffmpeg', [
    '-v',
    'error',
    ...picture,
    ...sound,
    ...video,
    ...output,
  ])
  expect(code).toBe(0)
  const movie = readMovie(await readFile(file))
  await rm(dir, { recursive: true })
  return movie
}

describe('G6: a slate segment is made again as it was published', () => {
  let films: readonly Movie[]
  beforeAll(async () => {
    const tone = ['-f', 'lavfi', '-i', 'sine=frequency=660:sample_rate=44100:duration=6.5']
    films = [await film([]), await film(tone)]
  })

  test.each([
    ['built in', undefined, 'avc1.4d401f'],
    ['built in, as HEVC', undefined, 'hvc1.1.6.L93.B0'],
    ['an operator’s film', 0, 'avc1.4d401f'],
    ['an operator’s film with sound', 1, 'avc1.4d401f'],
  ] as const)('%s', async (_what, index, codec) => {
    const movie = index === undefined ? undefined : films[index]
    const video = {
      ...streamSound().init,
      codec,
      rendition: 'video',
      video: { width: 640, height: 360 },
    }
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.integer({ min: 700, max: 9_000 }), { minLength: 1, maxLength: 12 }),
        fc.constantFrom(3, 4, 11),
        fc.integer({ min: 0, max: 5_000 }),
        async (lengths, frequencyIndex, laterMs) => {
          const media = {
            video: { ...video, rendition: 'video' as const },
            audio: streamSound(frequencyIndex),
          }
          const slate = await chooseSlate(media, movie, 20_000)
          expect(slate.unfit).toBeUndefined()
          const run = new SlateRun(slate, START_MS + laterMs)
          for (const lengthMs of lengths) {
            const { stored, segment } = published(run.next(lengthMs))
            for (const [rendition, bytes] of stored) {
              expect(await isRemade(segment, rendition, bytes, movie)).toBe(true)
            }
          }
        },
      ),
      { numRuns: 15 },
    )
  })

  test('of silence whose frames are no whole number of ticks', async () => {
    const coarse = {
      ...streamSound(4),
      init: { ...streamSound(4).init, timescale: 1_000 },
      frameTicks: 23,
    }
    const run = new SlateRun({ pictures: undefined, sound: silence(coarse) }, START_MS)
    for (let i = 0; i < 30; i += 1) {
      const { stored, segment } = published(run.next(1_000 + 77 * i))
      expect(await isRemade(segment, 'audio', stored.get('audio') ?? Buffer.alloc(0))).toBe(true)
    }
  })

  test('but not of another film', async () => {
    const [silent, tone] = films
    const media = { video: undefined, audio: streamSound() }
    const run = new SlateRun(
      await chooseSlate({ ...media, video: videoOf(tone) }, tone, 20_000),
      START_MS,
    )
    const { stored, segment } = published(run.next(2_000))
    const bytes = stored.get('audio') ?? Buffer.alloc(0)
    expect(await isRemade(segment, 'audio', bytes, silent)).toBe(false)
    expect(await isRemade(segment, 'audio', bytes, undefined)).toBe(false)
  })
})

function videoOf(movie: Movie | undefined) {
  if (movie?.video === undefined) throw new Error('no video')
  return readInit(writeInit(movie.video.description))
}
