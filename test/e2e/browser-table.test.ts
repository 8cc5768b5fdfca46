import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { systemClock } from '../../src/base/clock.ts'
import { openPage, SOON } from '../support/browser.ts'
import { askWitness, beginWitness, isStarved, placeWitness, TARGET } from '../support/playback.ts'
import { cameraOf, startWorld, type World } from '../support/world.ts'

/**
 * The rows of the table that Chromium can play, one for each container and track that is alone: it has no decoder for
 * HEVC. See browser-roll-over.test.ts for both tracks together, and table.test.ts for all the others.
 */
const CONTAINERS = ['FRAGMENTED_MP4', 'MPEG_TS'] as const
const TRACKS = [
  { what: 'video', clip: 'video-only', sound: false },
  { what: 'audio', clip: 'audio-only', sound: true },
] as const

const ROWS = CONTAINERS.flatMap((containerFormat) =>
  TRACKS.map((tracks) => ({
    ...tracks,
    containerFormat,
    name: `${containerFormat}-${tracks.what}`.toLowerCase().replaceAll('_', '-'),
  })),
)

const SHORTEST_FRAGMENT_MS = 1000

let world: World

beforeAll(async () => {
  const streams = ROWS.map(({ name, containerFormat }) => [
    name,
    { kvs: { streamName: cameraOf(name), containerFormat } },
  ])
  world = await startWorld({
    clock: systemClock,
    cameras: Object.fromEntries(ROWS.map(({ name, clip }) => [name, { clip }])),
    defaults: { minTargetDuration: TARGET },
    config: { streams: Object.fromEntries(streams) as Record<string, unknown> },
  })
})

afterAll(() => world.close())

test.concurrent.for(ROWS)(
  'G2: hls.js plays $what of $containerFormat through a roll-over',
  async ({ name, sound }) => {
    const url = `${world.gateway.publicUrl}/play/${name}`
    await using watched = await openPage(url, placeWitness)
    const { page, complaints } = watched
    await page.locator('.tile[data-tone="live"]').waitFor(SOON)
    await beginWitness(page)
    await world.admin.order(name, 'rollover')
    const { aheadS } = await askWitness(page)
    await vi.waitFor(async () => {
      expect((await askWitness(page)).playedS).toBeGreaterThan(aheadS + 4)
    }, SOON)

    const seen = await askWitness(page)
    expect(complaints).toEqual([])
    expect((await world.admin.stream(name)).session?.rollovers).toBe(1)
    if (isStarved(seen)) return
    expect(seen).toMatchObject({ jumps: 0, rewinds: 0, holes: 0, errors: [] })
    if (sound) expect(seen.silences).toBe(0)
    expect(seen.lostMs).toBeLessThan(SHORTEST_FRAGMENT_MS)
    expect(seen.apartMs).toBeLessThan(60)
  },
)
