import type { Page } from 'playwright-core'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { systemClock } from '../../src/base/clock.ts'
import { parseConfig } from '../../src/config/load.ts'
import { type RunningGateway, startGateway } from '../../src/gateway.ts'
import { openPage, SOON } from '../support/browser.ts'
import { Link } from '../support/link.ts'
import { startWorld, type World } from '../support/world.ts'

const NAMES = ['gate', 'yard', 'hall', 'dock'] as const
const SILENT = { debug() {}, info() {}, warn() {}, error() {} }

let central: World
let link: Link
let site: RunningGateway

beforeAll(async () => {
  const cameras = Object.fromEntries(NAMES.map((name) => [name, { clip: 'av-180p' } as const]))
  const defaults = { window: 30, idleTimeout: '5m' }
  central = await startWorld({ clock: systemClock, cameras, defaults })
  link = await Link.to(central.gateway.publicUrl)
  site = await startSite(link)
})

afterAll(async () => {
  await site.close()
  await link.close()
  await central.close()
})

test('a wall at a site gateway plays what the central one gives, through a cut of the line', async () => {
  await using watched = await openPage(`${site.publicUrl}/wall`)
  const { page, complaints } = watched
  await allLive(page)

  link.cut()
  await page.locator('.tile[data-tone="stale"]').first().waitFor(SOON)
  link.mend()
  await allLive(page)

  expect(complaints).toEqual([])
  // One copy of each over the line, and one session of each camera.
  expect(NAMES.map((name) => central.counters(name).sessionsOpened)).toEqual([1, 1, 1, 1])
})

test('DVR of a site is made of what came over the line', async () => {
  const base = `${site.publicUrl}/hls/gate/`
  const multivariant = await (await fetch(`${base}dvr.m3u8`)).text()
  const [media] = multivariant.match(/^dvr-.*video\.m3u8$/m) ?? []
  expect(media).toBeDefined()
  const list = await (await fetch(new URL(media ?? '', base))).text()
  const [segment] = list.match(/^\.\..*\.m4s$/m) ?? []
  const answer = await fetch(new URL(segment ?? '', new URL(media ?? '', base)))
  expect([answer.status, answer.headers.get('content-type')]).toEqual([200, 'video/mp4'])
})

/** Another process's worth of gateway, which knows KVS only by the central one's lists. */
function startSite(line: Link): Promise<RunningGateway> {
  const streams = NAMES.map((name) => [name, { hls: { url: line.over(central.watchUrl(name)) } }])
  const file = {
    server: { port: 0 },
    admin: { port: 0 },
    defaults: { signalLossAfter: '3s', dvr: '10m' },
    streams: Object.fromEntries(streams) as Record<string, unknown>,
  }
  const config = parseConfig('site', JSON.stringify(file), {})
  return startGateway(config, { clock: systemClock, random: Math.random, log: SILENT })
}

/** `live` is what a tile calls itself only while its picture moves. */
async function allLive(page: Page): Promise<void> {
  const live = page.locator('.tile[data-tone="live"]')
  await live.nth(NAMES.length - 1).waitFor({ ...SOON, state: 'attached' })
}
