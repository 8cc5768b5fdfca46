import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Page } from 'playwright-core'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Clock, systemClock } from '../../src/base/clock.ts'
import { writePathToken } from '../../src/formats/signed-path.ts'
import { newPage, type OwnPage, SOON } from '../support/browser.ts'
import { FIRST } from '../support/certificates.ts'
import { startWorld, type World } from '../support/world.ts'

let world: World
let folder: string
/** By how much the gateway's date is ahead, to let links expire without waiting for it. */
let aheadMs = 0
const clock: Clock = { ...systemClock, date: () => systemClock.date() + aheadMs }

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'browser-auth-'))
  const tls = { cert: join(folder, 'tls.crt'), key: join(folder, 'tls.key') }
  await writeFile(tls.cert, FIRST.cert)
  await writeFile(tls.key, FIRST.key)
  const clip = { clip: 'av-180p' } as const
  world = await startWorld({
    clock,
    cameras: { lobby: clip, yard: clip },
    config: {
      server: { port: 0, tls },
      auth: { mode: 'signed-path', keys: [{ id: 'k1', secret: 's3cret' }] },
    },
  })
})

afterAll(async () => {
  await world.close()
  await rm(folder, { recursive: true })
})

test('over HTTP/2 a signed wall shows what its link names, until that expires', async () => {
  await using opened = await open('lobby', '/wall?streams=lobby,yard')
  const { page } = opened
  await page.locator('.tile[data-tone="live"]').waitFor(SOON)
  await expect.poll(() => page.locator('.tile').count(), SOON).toBe(1)
  expect(await page.locator('.tile').getAttribute('data-tone')).toBe('live')
  expect(await protocols(page)).toEqual(['h2'])
  expect(Object.keys(world.counters('yard').calls)).toEqual([])

  aheadMs += 7_200_000
  await page.getByText('This link has expired').waitFor(SOON)
  expect(await page.locator('.tile').count()).toBe(0)
})

test('a signed player page plays, and the list leads to it', async () => {
  await using opened = await open('*', '/')
  const { page } = opened
  await page.getByRole('link', { name: 'yard' }).click()
  await page.waitForURL(/\/s\/[^/]+\/play\/yard$/)
  await page.locator('.tile[data-tone="live"]').waitFor(SOON)
})

test('who opens an expired link is told so by a page', async () => {
  await using opened = await open('lobby', '/play/lobby', -1)
  await opened.page.getByRole('heading', { name: 'This link has expired' }).waitFor(SOON)
})

async function open(pattern: string, path: string, inS = 3600): Promise<OwnPage> {
  const expiresS = Math.floor(clock.date() / 1000) + inS
  const token = writePathToken({ expiresS, keyId: 'k1', pattern }, 's3cret')
  const own = await newPage({ ignoreHTTPSErrors: true })
  await own.page.goto(`${world.gateway.publicUrl}/s/${token}${path}`)
  return own
}

/** By which all that the page has loaded came. */
function protocols(page: Page): Promise<string[]> {
  return page.evaluate(() => {
    const resources = performance.getEntriesByType('resource')
    const ours = resources.filter((entry) => entry instanceof PerformanceResourceTiming)
    return [...new Set(ours.map(({ nextHopProtocol }) => nextHopProtocol))]
  })
}
