import type { Page } from 'playwright-core'
import { expect, test, vi } from 'vitest'
import { systemClock } from '../../src/base/clock.ts'
import type { CameraConfigInput } from '../../src/emulator/config.ts'
import { GatewayAdmin } from '../proof/gateway-admin.ts'
import { openPage, SOON, type WatchedPage } from '../support/browser.ts'
import { askWitness, beginWitness, isStarved, placeWitness, TARGET } from '../support/playback.ts'
import { cameraOf, startWorld, type World } from '../support/world.ts'

/** So short that a session runs out by itself within the test. Renewed after some nine seconds. */
const EXPIRES_MS = 12_000

/** A player to whom a fragment is missing stands still for that long; a busy machine, for less. */
const SHORTEST_FRAGMENT_MS = 1000

/** Without B-frames, with them, and with fragments of uneven length. */
const CAMERAS: readonly [string, CameraConfigInput, kvs?: Readonly<Record<string, unknown>>][] = [
  ['epoch', { tfdtBase: 'epoch', clip: 'av-180p' }],
  ['session', { tfdtBase: 'session', clip: 'av-720p' }],
  ['fragment', { tfdtBase: 'fragment', clip: 'av-360p-irregular' }],
  ['session, in MPEG-TS', { tfdtBase: 'session', clip: 'av-720p' }, { containerFormat: 'MPEG_TS' }],
]

test.concurrent.for(CAMERAS)(
  'G2, G3: hls.js plays on while sessions run out, are revoked and replaced; tfdt from %s',
  async ([, camera, kvs = {}]) => {
    const cameras = { lobby: { minExpires: 1, ...camera } }
    const world = await startWorld({
      clock: systemClock,
      cameras,
      defaults: { kvs, minTargetDuration: TARGET },
      expiresMs: EXPIRES_MS,
    })
    try {
      await using watched = await openPlayer(world)
      const { page, complaints } = watched
      await beginWitness(page)
      await rollOverThrice(world)
      await playOn(page)

      const seen = await askWitness(page)
      expect(await breaksOf(world)).toEqual([])
      expect(complaints).toEqual([])
      if (isStarved(seen)) return
      expect(seen).toMatchObject({ jumps: 0, rewinds: 0, holes: 0, silences: 0, errors: [] })
      expect(seen.lostMs).toBeLessThan(SHORTEST_FRAGMENT_MS)
      expect(seen.apartMs).toBeLessThan(60)
    } finally {
      await world.close()
    }
  },
)

async function openPlayer({ gateway }: World): Promise<WatchedPage> {
  const url = `${gateway.publicUrl}/play/lobby`
  const watched = await openPage(url, placeWitness)
  await watched.page.locator('.tile[data-tone="live"]').waitFor(SOON)
  return watched
}

/** Each of the three ways in which a session is replaced, one after the other. */
async function rollOverThrice(world: World): Promise<void> {
  await rolledOver(world, 'schedule')
  world.control.revoke(cameraOf())
  await rolledOver(world, 'lost')
  await new GatewayAdmin(world.gateway.adminUrl).order('lobby', 'rollover')
  await rolledOver(world, 'api')
}

async function rolledOver({ lines }: World, cause: string): Promise<void> {
  const before = lines.length
  const causes = (): unknown[] => {
    const events = lines.slice(before).filter(({ event }) => event === 'session rolled over')
    return events.map(({ fields }) => fields['cause'])
  }
  await vi.waitFor(() => expect(causes()).toContain(cause), SOON)
}

/** Until what came after the last roll-over has been seen and heard, too. */
async function playOn(page: Page): Promise<void> {
  const { playedS, aheadS } = await askWitness(page)
  const enoughS = playedS + aheadS + 4
  await vi.waitFor(async () => {
    expect((await askWitness(page)).playedS).toBeGreaterThan(enoughS)
  }, SOON)
}

/** The gateway's own count of discontinuities: no line as long as there was none. */
async function breaksOf({ gateway }: World): Promise<readonly string[]> {
  const metrics = await (await fetch(`${gateway.adminUrl}/metrics`)).text()
  return metrics.split('\n').filter((line) => /^kvs_gateway_discontinuities_total\b/.test(line))
}
