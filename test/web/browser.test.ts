import type { Browser, Page } from 'playwright-core'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import type { WatchedPage } from '../support/browser.ts'
import { launchBrowser, openPage, SOON } from '../support/browser.ts'
import { LiveHlsOrigin } from '../support/live-hls-origin.ts'
import type { LoopMedia } from '../support/loop-media.ts'
import { makeLoopMedia } from '../support/loop-media.ts'

let browser: Browser
let media: LoopMedia
let origin: LiveHlsOrigin

beforeAll(async () => {
  media = await makeLoopMedia('160x90')
  browser = await launchBrowser()
})

afterAll(async () => {
  await browser.close()
})

afterEach(async () => {
  for (const context of browser.contexts()) await context.close()
  await origin.kill()
})

async function serve(streams: readonly string[], startDelayMs = 0): Promise<void> {
  origin = new LiveHlsOrigin({ streams, media, startDelayMs })
  await origin.start()
}

const tile = (page: Page, name: string, attributes = '') =>
  page.locator(`.tile[aria-label="${name}"]${attributes}`)

/** `live` is what a tile calls itself only while its picture moves. */
const live = (page: Page, name: string) =>
  tile(page, name, '[data-tone="live"]').waitFor({ ...SOON, state: 'attached' })

describe('the player', () => {
  let watched: WatchedPage
  let page: Page

  beforeEach(async () => {
    await serve(['lobby'], 500)
    watched = await openPage(browser, `${origin.url}/play/lobby`)
    page = watched.page
    await live(page, 'lobby')
  })

  test('plays, tells its latency, and breaks no rule of its policy', async () => {
    const label = await tile(page, 'lobby').locator('.label').textContent()
    expect(label).toMatch(/^Live · [1-9]\.\d s$/)
    expect(await page.title()).toBe('lobby')
    expect(watched.complaints).toEqual([])
  })

  test('comes back after a spell of 503s, keeping its last picture meanwhile', async () => {
    const camera = origin.camera('lobby')
    camera.fault = 503
    await tile(page, 'lobby', '[data-tone="late"][data-pictured="true"]').waitFor(SOON)
    camera.fault = undefined
    await live(page, 'lobby')
    expect(watched.complaints).toEqual([])
  })

  test('G11: says since when the camera is lost, and resumes when it is back', async () => {
    const camera = origin.camera('lobby')
    camera.stopped = true
    await tile(page, 'lobby', '[data-tone="stale"][data-pictured="true"]').waitFor(SOON)
    expect(await tile(page, 'lobby').locator('.headline').textContent()).toMatch(
      /^No picture for \d/,
    )
    await tile(page, 'lobby', '[data-tone="offline"][data-pictured="true"]').waitFor(SOON)
    const headline = await tile(page, 'lobby').locator('.headline').textContent()
    expect(headline).toMatch(/^Offline since \d\d:\d\d:\d\d$/)

    camera.stopped = false
    await live(page, 'lobby')
    const label = await tile(page, 'lobby').locator('.label').textContent()
    expect(label).toMatch(/^Live · \d\.\d s$/)
  })

  test('outlives a restart of the gateway, and says so in between', async () => {
    await origin.kill()
    await page.getByText(/^No contact with the gateway since/).waitFor(SOON)
    await origin.start()
    await live(page, 'lobby')
    await page.locator('#banner').waitFor({ ...SOON, state: 'hidden' })
    expect(watched.complaints).toEqual([])
  })

  test('names the reason of a failure in plain words', async () => {
    origin.camera('lobby').forced = { state: 'failed', reason: 'upstream_not_authorized' }
    await tile(page, 'lobby', '[data-tone="failed"]').waitFor(SOON)
    await page.getByText('The gateway is not allowed to read this camera.').waitFor(SOON)
  })
})

test('a player of an unknown stream says so', async () => {
  await serve(['lobby'])
  const { page } = await openPage(browser, `${origin.url}/play/nope`)
  await page.getByText('There is no stream named “nope” here.').waitFor(SOON)
  expect(origin.requests.filter((url) => url.startsWith('/hls/'))).toEqual([])
})

describe('the wall', () => {
  const names = Array.from({ length: 16 }, (_, i) => `cam-${i + 1}`)

  test('sixteen sleeping cameras are woken at once over HTTP/1.1, not six by six', async () => {
    await serve(names)
    for (const camera of origin.cameras) camera.stopped = true
    const { page, complaints } = await openPage(browser, `${origin.url}/wall`)
    // While none of them has anything to show: six connections that each wait for one would ask for six.
    await expect.poll(() => origin.cameras.every(({ asked }) => asked)).toBe(true)
    for (const camera of origin.cameras) camera.stopped = false
    const moving = page.locator('.tile[data-tone="live"]')
    await moving.nth(names.length - 1).waitFor(SOON)

    expect(origin.mostFeeds).toBe(1)
    expect(origin.requests.filter((url) => url.includes('audio'))).toEqual([])
    expect(complaints).toEqual([])
  })

  test('a tile enlarges, sounds, and goes back in silence', async () => {
    await serve(['lobby', 'yard'])
    const { page } = await openPage(browser, `${origin.url}/wall?streams=yard,lobby`)
    await live(page, 'lobby')

    await page.getByRole('button', { name: 'Enlarge lobby' }).click()
    await tile(page, 'lobby', '.large').waitFor(SOON)
    await page.getByRole('button', { name: 'Unmute' }).locator('visible=true').click()
    await expect.poll(() => origin.requests, SOON).toContain('/hls/lobby/audio.m3u8')
    await live(page, 'lobby')
    expect(origin.requests).not.toContain('/hls/yard/audio.m3u8')

    await page.keyboard.press('Escape')
    await tile(page, 'lobby', ':not(.large)').waitFor(SOON)
    expect(
      await page.evaluate('[...document.querySelectorAll("video")].every((v) => v.muted)'),
    ).toBe(true)
  })

  test('on a phone only tiles in or near view are fetched', async () => {
    await serve(names)
    const { page } = await openPage(browser, `${origin.url}/wall`, { width: 390, height: 500 })
    await live(page, 'cam-2')
    expect(origin.requests).not.toContain('/hls/cam-16/master.m3u8')
    await tile(page, 'cam-16').scrollIntoViewIfNeeded()
    await live(page, 'cam-16')
  })

  test('the keyboard walks over the tiles', async () => {
    await serve(['a', 'b', 'c', 'd'])
    const { page } = await openPage(browser, `${origin.url}/wall`)
    await tile(page, 'd').waitFor(SOON)
    const keys = ['ArrowRight', 'ArrowRight', 'ArrowDown', 'Enter']
    for (const key of keys) await page.keyboard.press(key)
    await tile(page, 'd', '.large').waitFor(SOON)
    await page.keyboard.press('ArrowLeft')
    await tile(page, 'c', '.large').waitFor(SOON)
    await page.keyboard.press('d')
    await page.locator('.debug').getByText('stalls').first().waitFor(SOON)
  })

  test('one camera’s trouble leaves the others alone', async () => {
    await serve(['good', 'bad'])
    const { page } = await openPage(browser, `${origin.url}/wall`)
    await live(page, 'bad')
    origin.camera('bad').fault = 503
    await tile(page, 'bad', '[data-tone="late"]').waitFor(SOON)
    await live(page, 'good')
    origin.camera('bad').fault = undefined
    await live(page, 'bad')
  })
})

test('a page of an older gateway renews itself, once', async () => {
  await serve(['lobby'])
  const page = await browser.newPage()
  await page.addInitScript('Math.random = () => 0')
  await page.route('**/web/feed*', async (route) => {
    const response = await route.fetch()
    const answer = (await response.json()) as object
    await route.fulfill({ response, json: { ...answer, version: 'next' } })
  })
  await page.goto(`${origin.url}/wall`)
  const loads = (): number => origin.requests.filter((url) => url === '/wall').length
  await expect.poll(loads, SOON).toBe(2)
  await live(page, 'lobby')
  expect(loads()).toBe(2)
})
