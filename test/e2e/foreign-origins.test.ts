import { rm } from 'node:fs/promises'
import { afterAll, describe, expect, test } from 'vitest'
import { parseMedia } from '../../src/formats/m3u8/parse-media.ts'
import { FOREIGN, type ForeignMedia, makeHls } from '../support/ffmpeg-hls.ts'
import { ForeignOrigin, type ForeignOriginOptions } from '../support/foreign-origin.ts'
import { ManualClock } from '../support/manual-clock.ts'
import { during } from '../support/pace.ts'
import { ask } from '../support/raw-http.ts'
import { hasTool } from '../support/tools.ts'
import { type Site, startSite } from './support/site.ts'

const PICTURE = 'fMP4, picture alone'
const dirs = new Map<ForeignMedia, Promise<string>>()

/** Made once for all tests, and no longer than they look. */
function dirOf(media: ForeignMedia): Promise<string> {
  const dir = dirs.get(media) ?? makeHls(media, media === PICTURE ? [] : ['-t', '30'])
  dirs.set(media, dir)
  return dir
}

afterAll(async () => {
  for (const dir of dirs.values()) await rm(await dir, { recursive: true, force: true })
})

interface Foreign extends AsyncDisposable {
  readonly origin: ForeignOrigin
  readonly site: Site
}

async function follow(
  media: ForeignMedia,
  options: Partial<ForeignOriginOptions> = {},
): Promise<Foreign> {
  const clock = new ManualClock()
  const origin = await ForeignOrigin.start({ clock, dir: await dirOf(media), ...options })
  const site = await startSite({ clock, url: origin.url('master.m3u8') })
  return {
    origin,
    site,
    async [Symbol.asyncDispose]() {
      await site[Symbol.asyncDispose]()
      await origin[Symbol.asyncDispose]()
    },
  }
}

async function expectSeamless({ site }: Foreign): Promise<void> {
  const verdict = await site.verdict()
  expect(verdict).toMatchObject({ faults: [], discontinuities: 0, missed: 0 })
  expect(verdict.segments).toBeGreaterThan(8)
  for (const track of Object.values(verdict.decoded)) {
    expect(track).toMatchObject({ warnings: [], gaps: [], runs: 1 })
  }
}

const FROZEN_MS = Date.UTC(2026, 0, 1)

/** What an origin writes in place of the date at which a segment begins. */
const WRITTEN: Readonly<Record<string, (epochMs: number, i: number) => number>> = {
  'whole seconds': (epochMs) => Math.floor(epochMs / 1000) * 1000,
  'half a second off': (epochMs, i) => epochMs + (i % 2 === 0 ? 500 : -500),
  frozen: () => FROZEN_MS,
  drifting: (epochMs, i) => epochMs + 20 * i,
}

const UNEVEN = 'fMP4, pictures at uneven steps'
const MEDIA = (Object.keys(FOREIGN) as ForeignMedia[]).filter((media) => media !== UNEVEN)

describe.skipIf(!hasTool('ffmpeg'))('an origin of', () => {
  test.each(MEDIA)('%s is shown without a seam', async (media) => {
    await using foreign = await follow(media)
    await foreign.site.pass(15_000)
    await expectSeamless(foreign)
  })

  test('G4: pictures at uneven steps has no discontinuities and no holes', async () => {
    await using foreign = await follow(UNEVEN)
    await foreign.site.pass(15_000)
    const verdict = await foreign.site.verdict()
    expect(verdict).toMatchObject({ faults: [], discontinuities: 0, missed: 0 })
    expect(verdict.segments).toBeGreaterThan(4)
    expect(verdict.decoded['video']).toMatchObject({ warnings: [], runs: 1 })
  })

  test.each([
    ['fMP4, picture alone', true],
    ['fMP4, open groups', false],
    ['fMP4, intra refresh', false],
    ['fMP4, segments cut by time', false],
  ] as const)('%s: the list says whether its segments are independent', async (media, isSo) => {
    await using foreign = await follow(media)
    const { site } = foreign
    await site.pass(10_000)
    for (const name of ['master', 'video']) {
      const list = await during(site.clock, ask(`${site.gateway.publicUrl}/hls/lobby/${name}.m3u8`))
      expect(String(list.body).includes('#EXT-X-INDEPENDENT-SEGMENTS')).toBe(isSo)
    }
  })

  test.each(['first', 'none'] as const)('lists with dates on: %s', async (dates) => {
    await using foreign = await follow('fMP4, sound apart', { dates })
    await foreign.site.pass(15_000)
    await expectSeamless(foreign)
    // Estimated or not, what is shown as new is of now.
    const { lastFragment } = await foreign.site.admin.stream('lobby')
    const lagMs = foreign.site.clock.now() - Date.parse(String(lastFragment?.['producedAt']))
    expect(lagMs).toBeGreaterThan(0)
    expect(lagMs).toBeLessThan(10_000)
  })

  test.each(Object.entries(WRITTEN))('dates that are %s', async (_, written) => {
    await using foreign = await follow('fMP4, sound apart')
    foreign.origin.edit = (text) => {
      let i = Number(/MEDIA-SEQUENCE:(\d+)/.exec(text)?.[1] ?? 0)
      return text.replaceAll(/(DATE-TIME:)(.*)/g, (_all, tag: string, date: string) => {
        i += 1
        return `${tag}${new Date(written(Date.parse(date), i)).toISOString()}`
      })
    }
    await foreign.site.pass(15_000)
    await expectSeamless(foreign)
  })

  test.each([
    ['alike (control)', 0],
    ['one lower', -1],
    ['one higher', 1],
    ['995 lower', -995],
    ['995 higher', 995],
  ])('sound numbered %s, without dates', async (_, by) => {
    await using foreign = await follow('fMP4, sound apart', { dates: 'none' })
    const { origin, site } = foreign
    origin.firstSequence = 1000
    origin.edit = (text, path) =>
      path === '/list_1.m3u8'
        ? text.replace(
            /(MEDIA-SEQUENCE:)(\d+)/,
            (_all, tag: string, n: string) => `${tag}${Number(n) + by}`,
          )
        : text
    await site.pass(15_000)
    await expectSeamless(foreign)
    const begins = async (rendition: string): Promise<readonly number[]> => {
      const list = await during(
        site.clock,
        ask(`${site.gateway.publicUrl}/hls/lobby/${rendition}.m3u8`),
      )
      return parseMedia(String(list.body)).segments.map(
        ({ programDateTimeMs }) => programDateTimeMs ?? 0,
      )
    }
    const [video, audio] = [await begins('video'), await begins('audio')]
    expect(audio).toHaveLength(video.length)
    for (const [i, ms] of audio.entries()) {
      expect(Math.abs(ms - (video[i] ?? 0))).toBeLessThan(100)
    }
  })

  test('a list that ends: so does ours, and the stream says so', async () => {
    await using foreign = await follow('fMP4, sound apart')
    const { site } = foreign
    await site.pass(60_000)
    expect(await site.admin.stream('lobby')).toMatchObject({ state: 'ended', reason: null })
    const list = await during(site.clock, ask(`${site.gateway.publicUrl}/hls/lobby/video.m3u8`))
    expect(String(list.body)).toMatch(/#EXT-X-ENDLIST\n$/)
    await expectSeamless(foreign)
  })

  test('an origin that begins again after its end, with numbers from 0', async () => {
    await using foreign = await follow('fMP4, picture alone')
    const { site, origin } = foreign
    await site.pass(60_000)
    origin.restart()
    await site.pass(20_000)
    expect(await site.admin.stream('lobby')).toMatchObject({ state: 'live' })
    const list = await during(site.clock, ask(`${site.gateway.publicUrl}/hls/lobby/video.m3u8`))
    expect(String(list.body)).not.toContain('ENDLIST')
    const verdict = await site.verdict()
    expect(verdict).toMatchObject({ faults: [], discontinuities: 1 })
  })

  test.each(['each', 'none'] as const)('numbers that go back, dates on: %s', async (dates) => {
    await using foreign = await follow('fMP4, picture alone', { dates })
    const { site, origin } = foreign
    await site.pass(25_000)
    origin.restart()
    await site.pass(20_000)
    expect(await site.admin.stream('lobby')).toMatchObject({ state: 'live' })
    expect(await site.verdict()).toMatchObject({ faults: [], discontinuities: 1 })
  })

  test('an older copy of the list, as caches give, changes nothing', async () => {
    await using foreign = await follow('fMP4, picture alone')
    const { site, origin } = foreign
    let older = ''
    origin.edit = (text) => {
      const shown = older !== '' && foreign.site.clock.now() % 3 === 0 ? older : text
      older = text
      return shown
    }
    await site.pass(20_000)
    await expectSeamless(foreign)
  })

  test('ranges that the origin ignores', async () => {
    await using foreign = await follow('fMP4 in one file')
    foreign.origin.ignoresRanges = true
    await foreign.site.pass(10_000)
    await expectSeamless(foreign)
  })

  test.each([404, 403, 503, 'refused'] as const)(
    'an origin that is away for minutes (%s) is offline, and followed again within seconds of its return',
    async (answer) => {
      await using foreign = await follow('fMP4, picture alone')
      const { site, origin } = foreign
      await site.pass(10_000)
      origin.tamper = (_path, response) => {
        if (answer === 'refused') response.destroy()
        else response.writeHead(answer, { 'content-length': 0 }).end()
        return true
      }
      await site.pass(200_000)
      expect(await site.admin.stream('lobby')).toMatchObject({ state: 'offline' })
      const ready = await during(site.clock, ask(`${site.gateway.adminUrl}/readyz`))
      expect(ready.status).toBe(200)

      origin.restart()
      await site.pass(12_000)
      origin.tamper = () => false
      await site.pass(5_000)
      expect(await site.admin.stream('lobby')).toMatchObject({ state: 'live', reason: null })
    },
  )

  test.each([404, 403])('a segment that is %s for 800 ms is no gap', async (code) => {
    await using foreign = await follow('fMP4, picture alone')
    const { site, origin } = foreign
    const firstMs = new Map<string, number>()
    let refused = 0
    origin.tamper = (path, response) => {
      if (!/[05]\.m4s$/.test(path)) return false
      const sinceMs = firstMs.get(path) ?? site.clock.now()
      firstMs.set(path, sinceMs)
      if (site.clock.now() - sinceMs >= 800) return false
      refused += 1
      response.writeHead(code, { 'content-length': 0 }).end()
      return true
    }
    await site.pass(20_000)
    await expectSeamless(foreign)
    expect(refused).toBeGreaterThan(1)
    expect((await site.admin.stream('lobby')).session?.rollovers).toBe(0)
  })
})
