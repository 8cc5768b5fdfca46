import { setTimeout as sleep } from 'node:timers/promises'
import type { Page } from 'playwright-core'
import { expect, test } from 'vitest'
import { systemClock } from '../../src/base/clock.ts'
import { openPage, SOON } from '../support/browser.ts'
import { startWorld } from '../support/world.ts'

const NAMES = Array.from({ length: 16 }, (_, i) => `cam-${i + 1}`)
/** Else the wall scrolls, and plays what is near. */
const ALL_IN_VIEW = { width: 960, height: 540 }
const SLEEPING = Object.fromEntries(NAMES.map((name) => [name, { clip: 'av-180p' } as const]))

test('a wall of sixteen sleeping cameras moves, over HTTP/1.1, and costs a session each', async () => {
  const world = await startWorld({ clock: systemClock, cameras: SLEEPING })
  try {
    await using watched = await openPage(`${world.gateway.publicUrl}/wall`, undefined, {
      viewport: ALL_IN_VIEW,
    })
    const { page, complaints } = watched
    const moving = page.locator('.tile[data-tone="live"]')
    await moving.nth(NAMES.length - 1).waitFor(SOON)

    const opened = NAMES.map((name) => world.counters(name).sessionsOpened)
    expect(opened).toEqual(NAMES.map(() => 1))
    expect(complaints).toEqual([])
  } finally {
    await world.close()
  }
})

test('a wall that is too much for its machine runs fewer pictures, says so, loses none, and has all back', async () => {
  const names = NAMES.slice(0, 9)
  const world = await startWorld({ clock: systemClock, cameras: SLEEPING })
  try {
    const url = `${world.gateway.publicUrl}/wall?streams=${names.join(',')}`
    await using watched = await openPage(url, placeBrake)
    const { page, complaints } = watched
    const live = page.locator('.tile[data-tone="live"]')
    const byTurns = page.locator('.tile[data-tone="still"]')
    const warning = page.getByText('This machine is too busy for all')
    await live.nth(names.length - 1).waitFor(SOON)

    await brake(page, true)
    await warning.waitFor(SOON)
    await byTurns.nth(3).waitFor(SOON)
    expect(await page.locator('.tile[data-pictured="false"]').count()).toBe(0)

    await brake(page, false)
    await live.nth(names.length - 1).waitFor(SOON)
    await warning.waitFor({ ...SOON, state: 'hidden' })
    expect(complaints).toEqual([])
  } finally {
    await world.close()
  }
})

test('a page of an unknown stream is a 404 that says so', async () => {
  const world = await startWorld({ clock: systemClock })
  try {
    const url = `${world.gateway.publicUrl}/play/nope`
    expect((await fetch(url)).status).toBe(404)
    await using watched = await openPage(url)
    await watched.page.getByText('There is no stream named “nope” here.').waitFor()
    expect(watched.complaints).toEqual([])
  } finally {
    await world.close()
  }
})

/** Lets {@link brake} hold up a page: so long that its timers come later than those of a page at ease ever do. */
const HELD_MS = 1_500

/** A script that waits for an answer has its page wait with it, as one does that gets no processor. */
async function placeBrake(page: Page): Promise<void> {
  await page.route('**/brake', async (route) => {
    await sleep(HELD_MS)
    await route.fulfill({ body: '' })
  })
  await page.addInitScript(`
    let braking
    globalThis.brake = (on) => {
      clearInterval(braking)
      if (on) braking = setInterval(wait, 50)
    }
    function wait() {
      const request = new XMLHttpRequest()
      request.open('GET', '/brake', false)
      request.send()
    }
  `)
}

async function brake(page: Page, on: boolean): Promise<void> {
  await page.evaluate(`brake(${on})`)
}
