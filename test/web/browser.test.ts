import type { Page } from 'playwright-core'
import { afterAll, beforeAll, beforeEach, describe, expect, onTestFinished, test } from 'vitest'
import { newPage, openPage, SOON, type WatchedPage } from '../support/browser.ts'
import { LiveHlsOrigin } from '../support/live-hls-origin.ts'
import type { LoopMedia } from '../support/loop-media.ts'
import { makeLoopMedia } from '../support/loop-media.ts'

let media: LoopMedia
let origin: LiveHlsOrigin

beforeAll(async () => {
  media = await makeLoopMedia('160x90')
})

async function serve(streams: readonly string[], startDelayMs = 0): Promise<void> {
  origin = new LiveHlsOrigin({ streams, media, startDelayMs })
  await origin.start()
}

/** For one test. */
async function stage(streams: readonly string[]): Promise<void> {
  await serve(streams)
  onTestFinished(() => origin.kill())
}

const tile = (page: Page, name: string, attributes = '') =>
  page.locator(`.tile[aria-label="${name}"]${attributes}`)

/** `live` is what a tile calls itself only while its picture moves. */
const live = (page: Page, name: string) =>
  tile(page, name, '[data-tone="live"]').waitFor({ ...SOON, state: 'attached' })

/** One page for all: each test finds it live, and what it did to the camera is undone by the next. */
describe('the player', () => {
  let watched: WatchedPage
  let page: Page

  beforeAll(async () => {
    await serve(['lobby'], 500)
    watched = await openPage(`${origin.url}/play/lobby`)
    page = watched.page
  })

  beforeEach(() => live(page, 'lobby'))

  afterAll(async () => {
    await watched[Symbol.asyncDispose]()
    await origin.kill()
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
    origin.camera('lobby').forced = undefined
    await live(page, 'lobby')
  })
})

test('a player of an unknown stream says so', async () => {
  await stage(['lobby'])
  await using watched = await openPage(`${origin.url}/play/nope`)
  await watched.page.getByText('There is no stream named “nope” here.').waitFor(SOON)
  expect(origin.requests.filter((url) => url.startsWith('/hls/'))).toEqual([])
})

describe('the wall of a site', () => {
  const names = Array.from({ length: 16 }, (_, i) => `cam-${i + 1}`)

  test('sixteen sleeping cameras are woken at once over HTTP/1.1, not six by six', async () => {
    await stage(names)
    for (const camera of origin.cameras) camera.stopped = true
    // With all of them in view; else it scrolls.
    const viewport = { width: 960, height: 540 }
    await using watched = await openPage(`${origin.url}/wall`, undefined, { viewport })
    const { page, complaints } = watched
    // While none of them has anything to show: six connections that each wait for one would ask for six.
    await expect.poll(() => origin.cameras.every(({ asked }) => asked)).toBe(true)
    for (const camera of origin.cameras) camera.stopped = false
    const moving = page.locator('.tile[data-tone="live"]')
    await moving.nth(names.length - 1).waitFor(SOON)

    expect(origin.mostFeeds).toBe(1)
    expect(origin.requests.filter((url) => url.includes('audio'))).toEqual([])
    expect(complaints).toEqual([])
  })

  test('on a phone only tiles in or near view are fetched', async () => {
    await stage(names)
    const viewport = { width: 390, height: 500 }
    await using watched = await openPage(`${origin.url}/wall`, undefined, { viewport })
    const { page } = watched
    await live(page, 'cam-2')
    expect(origin.requests).not.toContain('/hls/cam-16/master.m3u8')
    await tile(page, 'cam-16').scrollIntoViewIfNeeded()
    await live(page, 'cam-16')
  })
})

/** One page for all: each test leaves it as it found it. */
describe('a wall of four', () => {
  let watched: WatchedPage
  let page: Page

  beforeAll(async () => {
    await serve(['a', 'b', 'c', 'd'])
    watched = await openPage(`${origin.url}/wall?streams=d,c,b,a`)
    page = watched.page
  })

  afterAll(async () => {
    await watched[Symbol.asyncDispose]()
    await origin.kill()
  })

  test('a tile enlarges, sounds, and goes back in silence', async () => {
    await live(page, 'a')
    await page.getByRole('button', { name: 'Enlarge a' }).click()
    await tile(page, 'a', '.large').waitFor(SOON)
    await page.getByRole('button', { name: 'Unmute' }).locator('visible=true').click()
    await expect.poll(() => origin.requests, SOON).toContain('/hls/a/audio.m3u8')
    await live(page, 'a')
    expect(origin.requests).not.toContain('/hls/b/audio.m3u8')

    await page.keyboard.press('Escape')
    await tile(page, 'a', ':not(.large)').waitFor(SOON)
    expect(
      await page.evaluate('[...document.querySelectorAll("video")].every((v) => v.muted)'),
    ).toBe(true)
  })

  test('the keyboard walks over the tiles', async () => {
    await page.getByRole('button', { name: 'Enlarge d' }).focus()
    for (const key of ['ArrowRight', 'ArrowDown', 'Enter']) await page.keyboard.press(key)
    await tile(page, 'a', '.large').waitFor(SOON)
    await page.keyboard.press('ArrowLeft')
    await tile(page, 'b', '.large').waitFor(SOON)
    await page.keyboard.press('d')
    await page.locator('.debug').getByText('stalls').first().waitFor(SOON)
    for (const key of ['d', 'Escape']) await page.keyboard.press(key)
    await tile(page, 'b', ':not(.large)').waitFor(SOON)
  })

  test('one camera’s trouble leaves the others alone', async () => {
    await live(page, 'b')
    origin.camera('b').fault = 503
    await tile(page, 'b', '[data-tone="late"]').waitFor(SOON)
    await live(page, 'a')
    origin.camera('b').fault = undefined
    await live(page, 'b')
  })
})

test('a page of an older gateway renews itself, once', async () => {
  await stage(['lobby'])
  await using own = await newPage()
  const { page } = own
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
