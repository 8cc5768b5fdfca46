import { readFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import type { Page } from 'playwright-core'
import { expect, test, vi } from 'vitest'
import { newPage, SOON } from '../support/browser.ts'
import { ManualClock } from '../support/manual-clock.ts'
import { during, pass } from '../support/pace.ts'
import { startWorld } from '../support/world.ts'

const TICK_MS = 100

/** What a page with hls.js and nothing else tells of itself. */
interface Playing {
  readonly currentTime: number
  readonly seekable: readonly [number, number]
  readonly errors: readonly string[]
}

test('hls.js follows dvr.m3u8 by delta updates, and seeks back as far as it goes', async () => {
  const clock = new ManualClock()
  const world = await startWorld({
    clock,
    cameras: { lobby: { clip: 'av-180p' } },
    defaults: { dvr: '3m', activation: 'always' },
  })
  await pass(clock, 200_000)
  // From here on time passes as it does in the browser.
  const ticking = setInterval(() => clock.advance(TICK_MS), TICK_MS)
  try {
    await using own = await newPage()
    const { page } = own
    const requests: string[] = []
    page.on('response', (response) => {
      if (/dvr-\d+\/\w+\.m3u8/.test(response.url())) {
        requests.push(`${response.status()} ${new URL(response.url()).search}`)
      }
    })
    await page.goto(`${world.gateway.publicUrl}/healthz`)
    await play(page, '/hls/lobby/dvr.m3u8')
    await plays(page, 2)
    const { seekable, currentTime } = await look(page)
    expect(seekable[1] - seekable[0]).toBeGreaterThan(170)
    expect(seekable[1] - currentTime).toBeLessThan(30)

    await seek(page, seekable[0] + 20)
    await plays(page, 2)
    const back = await look(page)
    expect(back.currentTime).toBeLessThan(seekable[0] + 40)

    await seek(page, back.seekable[1] - 8)
    await plays(page, 2)
    expect((await look(page)).errors).toEqual([])
    const updates = (): readonly string[] => requests.slice(2)
    await expect.poll(() => updates().length, SOON).toBeGreaterThan(5)
    expect([...new Set(updates())]).toEqual(['200 ?_HLS_skip=YES'])
    expect(requests.slice(0, 2)).toEqual(['200 ', '200 '])
  } finally {
    clearInterval(ticking)
    await during(clock, world.close())
  }
})

async function play(page: Page, url: string): Promise<void> {
  const script = createRequire(import.meta.url).resolve('hls.js/dist/hls.min.js')
  await page.evaluate(await readFile(script, 'utf8'))
  await page.evaluate(`
    const video = document.createElement('video')
    video.muted = true
    document.body.append(video)
    const hls = new Hls()
    window.errors = []
    // Those of a seek, which leaves what was being loaded, and of a busy machine are none of ours.
    const ours = /^(level|audioTrack|manifest|frag|bufferAppend)/
    hls.on(Hls.Events.ERROR, (_, { details, fatal }) => {
      if (fatal || ours.test(details)) window.errors.push(details)
    })
    hls.loadSource('${url}')
    hls.attachMedia(video)
    void video.play()
  `)
}

function look(page: Page): Promise<Playing> {
  return page.evaluate(`(() => {
    const video = document.querySelector('video')
    const { seekable } = video
    const range = seekable.length === 0 ? [0, 0] : [seekable.start(0), seekable.end(0)]
    return { currentTime: video.currentTime, seekable: range, errors: window.errors }
  })()`)
}

async function seek(page: Page, to: number): Promise<void> {
  await page.evaluate(`document.querySelector('video').currentTime = ${to}`)
}

/** From where it stands, on for so many seconds. */
async function plays(page: Page, seconds: number): Promise<void> {
  const { currentTime } = await look(page)
  await vi.waitFor(async () => {
    expect((await look(page)).currentTime).toBeGreaterThan(currentTime + seconds)
  }, SOON)
}
