import type { Browser } from 'playwright-core'
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
