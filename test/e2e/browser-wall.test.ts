import type { Browser, Locator } from 'playwright-core'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { systemClock } from '../../src/base/clock.ts'
import { launchBrowser, openPage, SOON } from '../support/browser.ts'
import { startWorld } from '../support/world.ts'

let browser: Browser

beforeAll(async () => {
  browser = await launchBrowser()
})

afterAll(async () => {
  await browser.close()
})

const NAMES = Array.from({ length: 16 }, (_, i) => `cam-${i + 1}`)

/** Small, for sixteen decoders and a compositor without a graphics card share the test machine's cores. */
const VIEWPORT = { width: 960, height: 540 }
const SLEEPING = Object.fromEntries(NAMES.map((name) => [name, { clip: 'video-only' } as const]))

test('a wall of sixteen sleeping cameras moves, over HTTP/1.1, and costs a session each', async () => {
  const world = await startWorld({ clock: systemClock, cameras: SLEEPING })
  try {
    const { page, complaints } = await openPage(
      browser,
      `${world.gateway.publicUrl}/wall`,
      VIEWPORT,
    )
    const moving = page.locator('.tile[data-tone="live"]')
    await moving.nth(NAMES.length - 1).waitFor(SOON)

    const opened = NAMES.map((name) => world.counters(name).sessionsOpened)
    expect(opened).toEqual(NAMES.map(() => 1))
    expect(complaints).toEqual([])
    await page.close()
  } finally {
    await world.close()
  }
})

test('a wall that is too much for its machine runs fewer pictures, says so, loses none, and has all back', async () => {
  const names = NAMES.slice(0, 9)
  const cameras = Object.fromEntries(names.map((name) => [name, { clip: 'video-only' } as const]))
  const world = await startWorld({ clock: systemClock, cameras })
  try {
    const { page, complaints } = await openPage(
      browser,
      `${world.gateway.publicUrl}/wall`,
      VIEWPORT,
    )
    const live = page.locator('.tile[data-tone="live"]')
    const byTurns = page.locator('.tile[data-tone="still"]')
    const warning = page.getByText('This machine is too busy for all')
    await live.nth(names.length - 1).waitFor(SOON)

    const processor = await page.context().newCDPSession(page)
    const slow = (rate: number) => processor.send('Emulation.setCPUThrottlingRate', { rate })
    // How slow is too slow depends on the machine.
    for (let rate = 25; rate < 10_000; rate *= 2) {
      await slow(rate)
      if (await isThere(warning)) break
    }
    await byTurns.nth(3).waitFor(SOON)
    expect(await page.locator('.tile[data-pictured="false"]').count()).toBe(0)

    await slow(1)
    await live.nth(names.length - 1).waitFor(SOON)
    await warning.waitFor({ ...SOON, state: 'hidden' })
    expect(complaints).toEqual([])
    await page.close()
  } finally {
    await world.close()
  }
})

function isThere(what: Locator): Promise<boolean> {
  return what.waitFor({ timeout: 15_000 }).then(
    () => true,
    () => false,
  )
}

test('a page of an unknown stream is a 404 that says so', async () => {
  const world = await startWorld({ clock: systemClock })
  try {
    const url = `${world.gateway.publicUrl}/play/nope`
    expect((await fetch(url)).status).toBe(404)
    const { page, complaints } = await openPage(browser, url)
    await page.getByText('There is no stream named “nope” here.').waitFor()
    expect(complaints).toEqual([])
  } finally {
    await world.close()
  }
})
