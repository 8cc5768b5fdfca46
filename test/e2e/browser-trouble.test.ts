import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Page, Response } from 'playwright-core'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { systemClock } from '../../src/base/clock.ts'
import { openPage, SOON, type WatchedPage } from '../support/browser.ts'
import {
  askWitness,
  beginWitness,
  isStarved,
  placeWitness,
  TARGET,
  TARGET_S,
} from '../support/playback.ts'
import { cameraOf, startWorld, type World } from '../support/world.ts'

/** How many segments, here seconds, the lists hold in which a track comes and goes. */
const LISTED_S = 40

let stateDir: string

beforeAll(async () => {
  stateDir = await mkdtemp(join(tmpdir(), 'gateway-state-'))
})

afterAll(() => rm(stateDir, { recursive: true, force: true }))

test.concurrent('G11: a page says since when a camera is away, and goes on by itself when it is back', async () => {
  const world = await startWorld({
    clock: systemClock,
    cameras: { lobby: { clip: 'av-180p' } },
    defaults: { signalLossAfter: '5s', minTargetDuration: TARGET },
  })
  try {
    await using watched = await openPlayer(world)
    const { page, complaints } = watched
    const headline = page.locator('.headline')
    world.control.stopProducer(cameraOf())
    await tone(page, 'stale')
    expect(await headline.textContent()).toMatch(/^No picture for \d+ s$/)
    await tone(page, 'offline')
    expect(await headline.textContent()).toMatch(/^Offline since \d\d:\d\d:\d\d$/)

    world.control.resumeProducer(cameraOf())
    await logged(world, 'camera back')
    await tone(page, 'live')
    expect(await headline.textContent()).toBe('')
    const seen = await askWitness(page)
    if (!isStarved(seen)) expect(seen).toMatchObject({ rewinds: 0, holes: 0 })
    expect(complaints).toEqual([])
  } finally {
    await world.close()
  }
})

test.concurrent('G11: a page plays on through a slate, without a stall or a reload, and says what it is', async () => {
  const world = await startWorld({
    clock: systemClock,
    cameras: { lobby: { clip: 'av-180p' } },
    defaults: {
      signalLossAfter: '1s',
      onSignalLoss: 'slate',
      window: 8,
      minTargetDuration: TARGET,
    },
  })
  try {
    await using watched = await openPlayer(world)
    const { page, complaints } = watched
    let loads = 0
    page.on('load', () => (loads += 1))
    world.control.stopProducer(cameraOf())
    await logged(world, 'slate shown')
    await tone(page, 'slate')
    expect(await page.locator('.label').textContent()).toMatch(/^Away since \d\d:\d\d:\d\d$/)
    expect(await page.locator('.headline').textContent()).toBe('')
    await plays(page, (await askWitness(page)).aheadS + 4)
    expect(await page.locator('.tile').getAttribute('data-tone')).toBe('slate')

    world.control.resumeProducer(cameraOf())
    await logged(world, 'camera back')
    await tone(page, 'live')
    await plays(page, 2 * TARGET_S + 1)
    expect({ loads, complaints }).toEqual({ loads: 0, complaints: [] })
    const seen = await askWitness(page)
    if (isStarved(seen)) return
    expect(seen).toMatchObject({ rewinds: 0, holes: 0 })
    // What a moment's stall costs; a player without anything to play would have lost seconds.
    expect(seen.lostMs).toBeLessThan(1_500)
  } finally {
    await world.close()
  }
})

test.concurrent('a page outlives a restart of the gateway, and says so meanwhile', async () => {
  const cameras = { lobby: { clip: 'av-180p' } } as const
  const world = await startWorld({ clock: systemClock, cameras, cache: { dir: stateDir } })
  try {
    await using watched = await openPlayer(world)
    const { page, complaints } = watched
    await world.stopGateway()
    await page.getByText(/^No contact with the gateway since \d/).waitFor(SOON)
    const isMedia = (response: Response): boolean =>
      response.url().endsWith('.m4s') && response.ok()
    const mediaCameAgain = page.waitForResponse(isMedia, SOON)
    await world.startGateway()
    await mediaCameAgain
    await page.locator('#banner').waitFor({ ...SOON, state: 'hidden' })
    await tone(page, 'live')
    await plays(page, 0.3)
    expect(complaints).toEqual([])
  } finally {
    await world.close()
  }
})

test.concurrent('G4: a page goes on without sound or picture when the camera stops sending it, and with it again', async () => {
  const cameras = { lobby: { clip: 'av-180p' } } as const
  const world = await startWorld({
    clock: systemClock,
    cameras,
    defaults: { window: LISTED_S, minTargetDuration: '2s' },
  })
  try {
    await using watched = await openPlayer(world)
    const { page, complaints } = watched
    await noteStandstills(page)
    const both = { video: true, audio: true }
    for (const tracks of [{ ...both, audio: false }, both, { ...both, video: false }, both]) {
      world.control.order(cameraOf(), { type: 'tracks', ...tracks })
      await vi.waitFor(async () => expect(await heardAndSeen(page)).toEqual(tracks), SOON)
      await plays(page, 2)
    }
    // The lists hold what is gone for long: who waited for it would stand until it has left them.
    expect(await longestStandstillS(page)).toBeLessThan(LISTED_S / 2)
    expect(complaints).toEqual([])
  } finally {
    await world.close()
  }
})

/** From here on, for how long picture and sound do not go on is noted. */
async function noteStandstills(page: Page): Promise<void> {
  await page.evaluate(`(() => {
    const video = document.querySelector('video')
    let [position, movedMs] = [video.currentTime, performance.now()]
    globalThis.longestStandstillMs = 0
    setInterval(() => {
      const now = performance.now()
      const at = video.currentTime
      // A new player begins with a jump: that is not playing yet.
      if (at > position && at < position + 1) movedMs = now
      position = at
      longestStandstillMs = Math.max(longestStandstillMs, now - movedMs)
    }, 50)
  })()`)
}

async function longestStandstillS(page: Page): Promise<number> {
  return Number(await page.evaluate('longestStandstillMs')) / 1000
}

/** What the decoder is working on. */
async function heardAndSeen(page: Page): Promise<unknown> {
  return page.evaluate(`(async () => {
    const video = document.querySelector('video')
    const [sound, pictures] = [video.webkitAudioDecodedByteCount, video.webkitDecodedFrameCount]
    await new Promise((resolve) => setTimeout(resolve, 2_000))
    return {
      video: video.webkitDecodedFrameCount > pictures,
      audio: video.webkitAudioDecodedByteCount > sound,
    }
  })()`)
}

async function openPlayer({ gateway }: World): Promise<WatchedPage> {
  const url = `${gateway.publicUrl}/play/lobby`
  const watched = await openPage(url, placeWitness)
  await tone(watched.page, 'live')
  await beginWitness(watched.page)
  return watched
}

function tone(page: Page, name: string): Promise<void> {
  return page.locator(`.tile[data-tone="${name}"]`).waitFor(SOON)
}

async function logged({ lines }: World, event: string): Promise<void> {
  await vi.waitFor(() => expect(lines.map((line) => line.event)).toContain(event), {
    ...SOON,
    interval: 20,
  })
}

/** Waits until so many seconds more have been played. */
async function plays(page: Page, seconds: number): Promise<void> {
  const { playedS } = await askWitness(page)
  await vi.waitFor(async () => {
    expect((await askWitness(page)).playedS).toBeGreaterThan(playedS + seconds)
  }, SOON)
}
