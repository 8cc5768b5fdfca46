import { rm } from 'node:fs/promises'
import { expect, test, vi } from 'vitest'
import { systemClock } from '../../src/base/clock.ts'
import { parseConfig } from '../../src/config/load.ts'
import { startGateway } from '../../src/gateway.ts'
import { openPage, SOON } from '../support/browser.ts'
import { makeEncryptedHls } from '../support/ffmpeg-hls.ts'
import { ForeignOrigin } from '../support/foreign-origin.ts'
import { askWitness, beginWitness, placeWitness } from '../support/playback.ts'
import { hasTool } from '../support/tools.ts'

const silent = { debug() {}, info() {}, warn() {}, error() {} }

test.skipIf(!hasTool('chromium') || !hasTool('ffmpeg'))(
  'Chromium plays media that we cannot read, with the key that goes through us',
  async () => {
    const dir = await makeEncryptedHls('MPEG-TS')
    await using origin = await ForeignOrigin.start({ clock: systemClock, dir })
    const file = {
      server: { port: 0 },
      admin: { port: 0 },
      streams: { lobby: { hls: { url: origin.url('master.m3u8') } } },
    }
    const config = parseConfig('site', JSON.stringify(file), {})
    const gateway = await startGateway(config, {
      clock: systemClock,
      random: Math.random,
      log: silent,
    })
    try {
      const url = `${gateway.publicUrl}/play/lobby`
      await using watched = await openPage(url, placeWitness)
      const { page, complaints } = watched
      await page.locator('.tile[data-tone="live"]').waitFor(SOON)
      await beginWitness(page)
      const seconds = async (): Promise<number> =>
        Number(await page.evaluate(`document.querySelector('video').currentTime`))
      const beginS = await seconds()
      await vi.waitFor(async () => expect((await seconds()) - beginS).toBeGreaterThan(6), SOON)
      expect(await askWitness(page)).toMatchObject({ jumps: 0, rewinds: 0, errors: [] })
      expect(complaints).toEqual([])
      expect(
        origin.requests.filter(({ path }) => path.includes('secret.key')).length,
      ).toBeGreaterThan(0)
    } finally {
      await gateway.close()
      await rm(dir, { recursive: true, force: true })
    }
  },
)
