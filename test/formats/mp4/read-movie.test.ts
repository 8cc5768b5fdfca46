import { execFile } from 'node:child_process'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { Mp4Error } from '../../../src/formats/mp4/mp4-error.ts'
import { readMovie } from '../../../src/formats/mp4/read-movie.ts'

const run = promisify(execFile)
let dir = ''
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'read-movie-'))
})
afterAll(() => rm(dir, { recursive: true }))

const VIDEO = ['-f', 'lavfi', '-i', 'testsrc2=s=320x180:r=25:d=2']
const AUDIO = ['-f', 'lavfi', '-i', 'sine=frequency=440:sample_rate=44100:duration=2']
const AVC = ['-c:v', 'libx264', '-g', '25', '-bf', '2', '-pix_fmt', 'yuv420p']
const HEVC = ['-c:v', 'libx265', '-tag:v', 'hvc1', '-x265-params', 'keyint=25:log-level=error']
const AAC = ['-c:a', 'aac', '-b:a', '48k']
const FRAGMENTED = ['-movflags', '+frag_keyframe+empty_moov+default_base_moof']

async function make(...options: readonly string[]): Promise<Buffer> {
  const file = join(dir, 'movie.mp4')
  await run('ffmpeg', ['-v', 'error', '-y', ...options, file])
  return readFile(file)
}

describe('a movie is read', () => {
  test.each([
    ['H.264 and AAC', [...VIDEO, ...AUDIO, ...AVC, ...AAC], 'avc'],
    ['its index in front', [...VIDEO, ...AUDIO, ...AVC, ...AAC, '-movflags', '+faststart'], 'avc'],
    ['in fragments', [...VIDEO, ...AUDIO, ...AVC, ...AAC, ...FRAGMENTED], 'avc'],
    ['HEVC', [...VIDEO, ...AUDIO, ...HEVC, ...AAC], 'hevc'],
  ])('%s', async (_what, options, codec) => {
    const { video, audio } = readMovie(await make(...options))
    expect(video?.description.codec).toBe(codec)
    expect(video?.samples).toHaveLength(50)
    expect(video?.samples.filter(({ key }) => key).length).toBeGreaterThanOrEqual(2)
    expect(video?.samples.every(({ pts, dts }) => pts >= dts)).toBe(true)
    const ends = video?.samples.map(({ dts, duration }) => dts + duration)
    expect(ends?.slice(0, -1)).toEqual(video?.samples.slice(1).map(({ dts }) => dts))
    expect(ends?.at(-1)).toBe(2 * 90_000)
    expect(audio?.description).toMatchObject({ codec: 'aac', channels: 1, frequencyIndex: 4 })
    expect(audio?.samples[0]).toMatchObject({ dts: 0, key: true })
    expect(audio?.samples.length).toBeGreaterThanOrEqual(86)
  })

  test('one track alone', async () => {
    expect(readMovie(await make(...VIDEO, ...AVC)).audio).toBeUndefined()
    expect(readMovie(await make(...AUDIO, ...AAC)).video).toBeUndefined()
  })
})

describe('a movie is refused', () => {
  test('in another codec', async () => {
    const bytes = await make(...VIDEO, '-c:v', 'mpeg4')
    expect(() => readMovie(bytes)).toThrow(/neither H.264, HEVC nor AAC/)
  })

  test('when it is cut', async () => {
    const bytes = await make(...VIDEO, ...AVC, '-movflags', '+faststart')
    expect(() => readMovie(bytes.subarray(0, bytes.length / 2))).toThrow(Mp4Error)
  })

  test('when it is none', () => {
    expect(() => readMovie(Buffer.from('<!doctype html>'))).toThrow(Mp4Error)
    expect(() => readMovie(Buffer.alloc(0))).toThrow(Mp4Error)
  })

  test('when it is damaged, with a clear error and soon', async () => {
    const bytes = await make(...VIDEO, ...AUDIO, ...AVC, ...AAC)
    fc.assert(
      fc.property(fc.nat(bytes.length - 1), fc.integer({ min: 0, max: 255 }), (at, value) => {
        const damaged = Buffer.from(bytes)
        damaged[at] = value
        try {
          readMovie(damaged)
        } catch (error) {
          expect(error).toBeInstanceOf(Mp4Error)
        }
      }),
      { numRuns: 300 },
    )
  })
})
