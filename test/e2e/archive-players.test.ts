import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Page } from 'playwright-core'
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest'
import { z } from 'zod'
import { systemClock } from '../../src/base/clock.ts'
import { decodeWithoutWarning } from '../proof/decode.ts'
import { runTool } from '../proof/ffmpeg.ts'
import { newPage, type OwnPage } from '../support/browser.ts'
import { startWorld, type World } from '../support/world.ts'

const HLS_JS = createRequire(import.meta.url).resolve('hls.js/dist/hls.js')
const SECONDS = 120

let world: World
let startMs: number

beforeAll(async () => {
  // What follows on from what, and new codec private data in the middle of it.
  startMs = Math.floor(Date.now() / 1000) * 1000 - 600_000
  const change = { atMs: startMs + 61_000, event: { type: 'codec-private-data' } } as const
  world = await startWorld({
    clock: systemClock,
    cameras: { lobby: { clip: 'av-180p', events: [change] } },
  })
})

afterAll(() => world.close())

function url(from: number, to?: number): string {
  const end = to === undefined ? '' : `&end=${(startMs + to * 1000) / 1000}`
  return `${world.watchUrl()}?start=${(startMs + from * 1000) / 1000}${end}`
}

test('ffmpeg plays a closed range to its end', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'archive-'))
  onTestFinished(() => rm(folder, { recursive: true }))
  const file = join(folder, 'lobby.mp4')
  const input = ['-nostdin', '-v', 'warning', '-i', url(0, 45)]
  const { code, stderr } = await runTool('ffmpeg', [...input, '-c', 'copy', file])
  expect({ code, stderr }).toEqual({ code: 0, stderr: [] })
  const { warnings, streams } = await decodeWithoutWarning(await readFile(file))
  expect(warnings).toEqual([])
  for (const { gaps, startS, endS } of streams) {
    expect(gaps).toEqual([])
    expect(endS - startS).toBeCloseTo(45, 0)
  }
})

test('Chromium plays a closed range, over new codec private data, and seeks in it', async () => {
  await using own = await play(url(0, SECONDS))
  const { page } = own
  expect((await look(page)).duration).toBeCloseTo(SECONDS, 0)
  await page.evaluate('video.currentTime = 58')
  await expect.poll(async () => (await look(page)).time).toBeGreaterThan(64)
  await page.evaluate('video.currentTime = 10')
  await expect.poll(async () => (await look(page)).time).toBeGreaterThan(12)
  await page.evaluate('video.currentTime = 117')
  await expect.poll(async () => (await look(page)).ended).toBe(true)
  expect((await look(page)).errors).toEqual([])
  // A player's clock is the recording's.
  expect(Math.abs((await look(page)).dateMs - (startMs + SECONDS * 1000))).toBeLessThan(1_500)
})

test('Chromium starts a growing range over, and comes to its live edge', async () => {
  await using own = await play(url(570))
  const { page } = own
  const first = await look(page)
  expect(Math.abs(first.dateMs - (startMs + 570_000))).toBeLessThan(10_000)
  await page.evaluate('video.currentTime = hls.levels[0].details.edge - 4')
  await expect.poll(async () => (await look(page)).dateMs).toBeGreaterThan(Date.now() - 15_000)
  await expect.poll(async () => (await look(page)).duration).toBeGreaterThan(first.duration + 5)
  expect((await look(page)).errors).toEqual([])
})

const seen = z.object({
  time: z.number(),
  duration: z.number(),
  ended: z.boolean(),
  dateMs: z.number(),
  errors: z.array(z.string()),
})

async function look(page: Page): Promise<z.output<typeof seen>> {
  return seen.parse(
    await page.evaluate(`({
      time: video.currentTime,
      duration: hls.levels[0]?.details?.totalduration ?? 0,
      ended: video.ended,
      dateMs: hls.playingDate?.getTime() ?? 0,
      errors,
    })`),
  )
}

/** hls.js at its defaults, from the beginning of the list. */
async function play(source: string): Promise<OwnPage> {
  const own = await newPage()
  const { page } = own
  await page.setContent('<video muted autoplay></video>')
  await page.addScriptTag({ path: HLS_JS })
  await page.evaluate(`
    var errors = []
    var video = document.querySelector('video')
    var hls = new Hls({ startPosition: 0 })
    hls.on(Hls.Events.ERROR, (_, { details, fatal }) => {
      // A seek drops what is being loaded.
      if (details !== 'aborted') errors.push(details + (fatal ? ' (fatal)' : ''))
    })
    hls.loadSource(${JSON.stringify(source)})
    hls.attachMedia(video)
  `)
  await expect.poll(async () => (await look(page)).time).toBeGreaterThan(0.5)
  return own
}
