import type { Page } from 'playwright-core'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { systemClock } from '../../src/base/clock.ts'
import { openPage, SOON, type WatchedPage } from '../support/browser.ts'
import { cameraOf, startWorld, type World } from '../support/world.ts'

let world: World
let watched: WatchedPage

beforeAll(async () => {
  const defaults = { activation: 'always', signalLossAfter: '3s' }
  const cameras = { lobby: { clip: 'av-180p' } } as const
  world = await startWorld({ clock: systemClock, cameras, defaults })
  const viewport = { width: 390, height: 844 }
  watched = await openPage(`${world.gateway.adminUrl}/`, undefined, { viewport })
})
afterAll(async () => {
  await watched[Symbol.asyncDispose]()
  await world.close()
})

test('the dashboard tells of the only stream all that there is, and plots what came', async () => {
  const { page } = watched
  await page.locator('.stream[data-state="live"].open').waitFor(SOON)
  const bitrate = page.locator('.plot', { hasText: 'Bitrate' })
  await bitrate.locator('.line[d^="M"]').waitFor({ ...SOON, state: 'attached' })
  expect(await bitrate.locator('.value').textContent()).toMatch(/^\d.* [kM]bit\/s$/)
  expect(await page.locator('.quota').textContent()).toMatch(/\d+ % left/)
})

test('on a phone nothing has to be scrolled sideways', async () => {
  expect(await overflow(watched.page)).toBe(0)
})

test('a roll-over is ordered with a button, and marked when it has happened', async () => {
  const { page } = watched
  await page.getByRole('button', { name: 'Roll over' }).click()
  await page.getByText('A new session is being opened.').waitFor(SOON)
  const mark = page.locator('.mark[data-kind="rolled-over"]')
  await mark.waitFor(SOON)
  await mark.focus()
  expect(await page.locator('.readout').textContent()).toContain('Session rolled over, by order')
})

test('what happens is told: a camera that stops', async () => {
  const { page } = watched
  world.control.order(cameraOf(), { type: 'stop' })
  const lost = page.locator('.events [data-type="stream.lost"]')
  await lost.waitFor(SOON)
  expect(await lost.textContent()).toContain('lobbyNothing comes any more')
  await page.locator('.stream[data-state="stale"]').waitFor(SOON)
  world.control.order(cameraOf(), { type: 'resume' })
  await page.locator('.stream[data-state="live"]').waitFor(SOON)
})

test('what cannot be undone at once is asked about', async () => {
  const { page } = watched
  await page.getByRole('button', { name: 'Stop' }).click()
  await page.getByRole('dialog').getByRole('button', { name: 'Cancel' }).click()
  await page.getByRole('dialog').waitFor({ ...SOON, state: 'detached' })
  expect((await world.admin.stream('lobby')).state).not.toBe('idle')
})

test('a reload tells what is wrong with the configuration, and is an event', async () => {
  const { page } = watched
  // Whoever edits the file makes a mistake.
  await expect(world.reload({ config: { nonsense: 1 } })).rejects.toThrow()
  await page.getByRole('button', { name: 'Reload' }).click()
  await page.getByRole('dialog').getByRole('button', { name: 'Reload' }).click()
  await page.locator('.reloaded li', { hasText: 'nonsense' }).waitFor(SOON)
  await page.locator('.events [data-type="config.reloaded"]').nth(1).waitFor(SOON)
  expect(await overflow(page)).toBe(0)
})

test('without an answer what was last known stays, and says since when', async () => {
  const { page } = watched
  await page.route('**/api/v1/streams', (route) => route.abort())
  await page.getByText('No contact with the gateway since').waitFor(SOON)
  expect(await page.locator('.stream .toggle').textContent()).toBe('lobby')
  await page.unroute('**/api/v1/streams')
  await page.locator('#lost').waitFor({ ...SOON, state: 'hidden' })
  await vi.waitFor(() => expect(watched.complaints).toEqual([]), SOON)
})

/** By how much the page is wider than its window. */
function overflow(page: Page): Promise<number> {
  return page.evaluate('document.documentElement.scrollWidth - innerWidth')
}
