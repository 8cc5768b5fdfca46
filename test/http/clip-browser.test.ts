import type { Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { z } from 'zod'
import { Clips } from '../../src/archive/clip/clips.ts'
import { systemClock } from '../../src/base/clock.ts'
import { newPage, type OwnPage, SOON } from '../support/browser.ts'
import { type PublicServer, startPublicServer } from '../support/public-server.ts'
import { LoopRecording } from '../support/recording.ts'
import { hasTool } from '../support/tools.ts'

const START_S = Date.UTC(2025, 0, 1) / 1000
/** From here on the camera's codec private data are other ones. */
const CHANGE_FROM_S = START_S + 50
/** Of the recording as it is, from these seconds on nothing was recorded for ten. */
const GAP_FROM_S = START_S + 30

const seen = z.object({
  error: z.string().nullable(),
  durationS: z.number(),
  atS: z.number(),
  ended: z.boolean(),
  width: z.number(),
  frames: z.number(),
  audioBytes: z.number(),
})
type Seen = z.output<typeof seen>

const LOOK = `(() => {
  const video = document.querySelector('video')
  return {
    error: video.error === null ? null : video.error.message,
    durationS: video.duration || 0,
    atS: video.currentTime,
    ended: video.ended,
    width: video.videoWidth,
    frames: video.getVideoPlaybackQuality().totalVideoFrames,
    audioBytes: video.webkitAudioDecodedByteCount,
  }
})()`

describe.skipIf(!hasTool('chromium'))('Chromium plays a clip as it is', () => {
  let server: PublicServer
  const recording = new LoopRecording(['avc-bframes', 'aac'])

  const changed = new LoopRecording(['avc', 'aac'])
  recording.before = (number, signal) =>
    number < CHANGE_FROM_S ? undefined : changed.fragment(Number(number)).tracks(signal)

  beforeAll(async () => {
    const clips = new Clips({
      clock: systemClock,
      maxMs: () => 600_000,
      list: (_stream, range) =>
        Promise.resolve(
          recording
            .list(range)
            .filter(
              ({ startMs }) => startMs < GAP_FROM_S * 1000 || startMs >= (GAP_FROM_S + 10) * 1000,
            ),
        ),
    })
    server = await startPublicServer({ clips })
  })
  afterAll(() => server.close())

  async function open(fromS: number, seconds: number): Promise<OwnPage> {
    const own = await newPage()
    const { page } = own
    await page.goto(`${server.url}/healthz`)
    const start = START_S + fromS
    const src = `/clip/lobby.mp4?start=${start}&end=${start + seconds}`
    await page.setContent(`<video autoplay src="${src}"></video>`)
    return own
  }

  async function look(page: Page): Promise<Seen> {
    return seen.parse(await page.evaluate(LOOK))
  }

  test('from its start to its end, picture and sound', async () => {
    await using own = await open(0, 6)
    const { page } = own
    await expect.poll(async () => (await look(page)).ended, SOON).toBe(true)
    const { error, durationS, atS, width, frames, audioBytes } = await look(page)
    expect([error, width]).toEqual([null, 128])
    expect(durationS).toBeCloseTo(6, 0)
    expect(atS).toBeCloseTo(durationS, 1)
    expect(frames).toBeGreaterThan(80)
    expect(audioBytes).toBeGreaterThan(10_000)
  })

  test('from anywhere, by a range of it', async () => {
    await using own = await open(0, 25)
    const { page } = own
    await expect.poll(async () => (await look(page)).width, SOON).toBe(128)
    await page.evaluate(`document.querySelector('video').currentTime = 20`)
    await expect.poll(async () => (await look(page)).atS, SOON).toBeGreaterThan(21)
    expect((await look(page)).error).toBeNull()
  })

  test('over a change of codec private data', async () => {
    await using own = await open(46, 8)
    const { page } = own
    await expect.poll(async () => (await look(page)).ended, SOON).toBe(true)
    const { error, frames } = await look(page)
    expect(error).toBeNull()
    expect(frames).toBeGreaterThan(110)
  })

  test('over a gap, which lasts as long as it did', async () => {
    await using own = await open(28, 14)
    const { page } = own
    await expect.poll(async () => (await look(page)).durationS, SOON).toBeCloseTo(14, 0)
    await page.evaluate(`document.querySelector('video').currentTime = 10`)
    await expect.poll(async () => (await look(page)).ended, SOON).toBe(true)
    const { error, frames } = await look(page)
    expect(error).toBeNull()
    expect(frames).toBeGreaterThan(20)
  })
})
