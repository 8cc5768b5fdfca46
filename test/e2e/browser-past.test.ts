import { execFile } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import type { Page } from 'playwright-core'
import { afterAll, beforeAll, beforeEach, expect, test, vi } from 'vitest'
import { systemClock } from '../../src/base/clock.ts'
import { openPage, SOON, type WatchedPage } from '../support/browser.ts'
import { startWorld, type World } from '../support/world.ts'

const HOUR_MS = 3_600_000

const run = promisify(execFile)

let world: World
let folder: string
/** One for all: each test begins at the live picture. */
let watched: WatchedPage
let page: Page

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'gateway-clip-'))
  const cameras = { lobby: { clip: 'av-180p' } } as const
  world = await startWorld({ clock: systemClock, cameras, defaults: { dvr: '1h' } })
  watched = await openPage(`${world.gateway.publicUrl}/play/lobby`)
  page = watched.page
  await page.locator('.track').waitFor({ ...SOON, state: 'attached' })
})

beforeEach(async () => {
  await page.keyboard.press('l')
  await page.locator('.tile[data-tone="live"]').waitFor({ ...SOON, state: 'attached' })
})

afterAll(async () => {
  await watched[Symbol.asyncDispose]()
  await world.close()
  await rm(folder, { recursive: true, force: true })
})

test('pausing stays behind, and playing goes on from there', async () => {
  await page.keyboard.press(' ')
  await page.getByRole('button', { name: 'Play', exact: true }).waitFor(SOON)
  await page.locator('.tile[data-tone="past"]').waitFor({ ...SOON, state: 'attached' })
  await page.keyboard.press(' ')
  await moving(page)
  expect(await shownAge(page)).toMatch(/^\d+ s ago$/)
})

test('the scrub bar goes back in time, further than the day, and to the live picture again', async () => {
  // Shown while there is a past to go to, and the pointer is near.
  await page.mouse.move(300, 300)
  await page.locator('.track').waitFor(SOON)
  const track = await page.locator('.track').boundingBox()
  if (track === null) throw new Error('there is no scrub bar')
  await page.mouse.click(track.x + track.width / 2, track.y + track.height / 3)
  await moving(page)
  expect(await shownAge(page)).toBe('30 min ago')

  const yesterday = new Date(Date.now() - 20 * HOUR_MS)
  await goTo(page, localTime(yesterday))
  await page.getByText('20 h ago').waitFor(SOON)
  await moving(page)

  await page.keyboard.press('ArrowLeft')
  await page.getByText(/20 h ago$/).waitFor(SOON)
  await moving(page)

  await page.keyboard.press('l')
  await page.locator('.tile[data-tone="live"]').waitFor({ ...SOON, state: 'attached' })
  expect(watched.complaints).toEqual([])
})

test('a time of which nothing was recorded is said to be such', async () => {
  await goTo(page, '2020-01-01T10:00:00')
  await page.getByText(/^Nothing was recorded at that time\./).waitFor(SOON)
  // Buttons leave with the pointer.
  await page.mouse.move(300, 300)
  await page.getByRole('button', { name: 'Back to the live picture' }).click()
  await page.locator('.tile[data-tone="live"]').waitFor({ ...SOON, state: 'attached' })
})

test('the last half minute can be saved as a file', async () => {
  const [download] = await Promise.all([
    page.waitForEvent('download', SOON),
    page.keyboard.press('s'),
  ])
  const file = join(folder, download.suggestedFilename())
  await download.saveAs(file)
  expect(file).toMatch(/lobby-.*\.mp4$/)
  const asked = ['-v', 'error', '-show_entries', 'format=duration', '-of', 'csv=p=0']
  const { stdout } = await run('ffprobe', [...asked, file])
  // Whole fragments of 1 s, the one that the start lies in included.
  expect(Number(stdout)).toBeGreaterThanOrEqual(29.9)
  expect(Number(stdout)).toBeLessThanOrEqual(32.1)
})

/** Types a time into its field, which is there while the pointer moves. */
async function goTo(page: Page, time: string): Promise<void> {
  await vi.waitFor(async () => {
    await page.mouse.move(300, 300)
    await page.mouse.move(310, 310)
    await page.getByLabel('Go to a date and time').fill(time, { timeout: 2_000 })
  }, SOON)
}

/** Waits until the picture moves at its own pace. */
async function moving(page: Page): Promise<void> {
  const video = 'document.querySelector("video")'
  const plays = `!${video}.paused && !${video}.seeking && ${video}.readyState >= 3`
  await expect.poll(() => page.evaluate(plays), SOON).toBe(true)
  const before = Number(await page.evaluate(`${video}.currentTime`))
  await expect.poll(() => page.evaluate(`${video}.currentTime`), SOON).toBeGreaterThan(before + 0.5)
}

async function shownAge(page: Page): Promise<string | undefined> {
  const label = await page.locator('.label').textContent()
  return label?.split(' · ')[1]
}

/** As an input of type datetime-local takes it: in the viewer's zone, here the browser's. */
function localTime(date: Date): string {
  const inZone = date.getTime() - date.getTimezoneOffset() * 60_000
  return new Date(inZone).toISOString().slice(0, 19)
}
