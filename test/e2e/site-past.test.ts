import { expect, test } from 'vitest'
import { decodeWithoutWarning } from '../proof/decode.ts'
import { during } from '../support/pace.ts'
import { type Answer, ask } from '../support/raw-http.ts'
import { get } from './support/listing.ts'
import { judge, readLists, watch } from './support/past.ts'
import { type Chain, startChain } from './support/site.ts'

/** Ranges of streams whose source keeps no past: what the gateway itself holds of it. */
const CAMERA = { lobby: { clip: 'av-360p' } } as const
const KEPT = { dvr: '10m', activation: 'always' }
const SEAMLESS = { warnings: [], gaps: [], runs: 1 }
const SECOND_MS = 1_000

function startSite(defaults: object = KEPT): Promise<Chain> {
  return startChain(
    { cameras: CAMERA, defaults: { idleTimeout: '5m' } },
    { defaults: { ...defaults } },
  )
}

const iso = (ms: number): string => new Date(ms).toISOString()

function urlOf({ site }: Chain, startMs: number, endMs?: number): string {
  const end = endMs === undefined ? '' : `&end=${iso(endMs)}`
  return `${site.gateway.publicUrl}/hls/lobby/master.m3u8?start=${iso(startMs)}${end}`
}

function clipUrl({ site }: Chain, startMs: number, endMs: number): string {
  return `${site.gateway.publicUrl}/clip/lobby.mp4?start=${iso(startMs)}&end=${iso(endMs)}`
}

const asked = ({ site }: Chain, url: string): Promise<Answer> => during(site.clock, ask(url))
const problem = ({ body }: Answer) => JSON.parse(String(body)) as Record<string, unknown>

test('G2: a range is a list of what the DVR holds, and costs the origin nothing', async () => {
  await using chain = await startSite()
  const { site, central } = chain
  await site.pass(60_000)
  const before = central.counters().calls
  const endMs = site.clock.now() - 20 * SECOND_MS
  const url = urlOf(chain, endMs - 30 * SECOND_MS, endMs)
  const verdict = await judge(url, site.clock)
  expect(verdict).toMatchObject({ faults: [], segments: 30, discontinuities: 0, missed: 0 })
  expect(verdict.decoded).toMatchObject({ video: SEAMLESS, audio: SEAMLESS })
  const lists = await during(site.clock, readLists(url))
  expect(lists.get('video')).toMatchObject({ ended: true, mediaSequence: 0 })
  expect(central.counters().calls['GetHLSStreamingSessionURL']).toEqual(
    before['GetHLSStreamingSessionURL'],
  )
})

test('G1: without an end it grows, also over a time in which nobody watched', async () => {
  await using chain = await startSite({ ...KEPT, activation: 'on-demand', idleTimeout: '20s' })
  const { site } = chain
  await site.pass(30_000)
  const url = urlOf(chain, site.clock.now() - 20 * SECOND_MS)
  const verdict = await watch(url, site.clock, 30_000)
  expect(verdict).toMatchObject({ faults: [], discontinuities: 0, missed: 0 })
  expect(verdict.segments).toBeGreaterThan(45)
  site.watching = false
  await site.pass(90_000)
  expect((await site.admin.stream('lobby')).state).toBe('idle')
  const later = await watch(url, site.clock, 20_000)
  expect(later).toMatchObject({ faults: [], discontinuities: 1, missed: 0 })
  const list = (await during(site.clock, readLists(url))).get('video')
  expect(list).toMatchObject({ ended: false, mediaSequence: 0 })
})

test('clips are made of it, and pages offer them', async () => {
  await using chain = await startSite()
  const { site } = chain
  await site.pass(60_000)
  const endMs = site.clock.now() - 20 * SECOND_MS
  const clip = await during(site.clock, get(clipUrl(chain, endMs - 30 * SECOND_MS, endMs)))
  expect(clip.headers['content-type']).toBe('video/mp4')
  const { warnings, streams } = await decodeWithoutWarning(clip.body)
  expect({ warnings, gaps: streams.flatMap(({ gaps }) => gaps) }).toEqual({
    warnings: [],
    gaps: [],
  })
  const long = endMs - 3_600_000
  const none = await asked(chain, clipUrl(chain, long, long + 10 * SECOND_MS))
  expect([none.status, problem(none)]).toMatchObject([404, { code: 'no_recording' }])
  expect(await pastOf(chain)).toMatchObject({ archive: false, clip: true })
})

test('without dvr nothing is kept, and that is said', async () => {
  await using chain = await startSite({ activation: 'always' })
  await chain.site.pass(20_000)
  const endMs = chain.site.clock.now() - SECOND_MS
  for (const url of [
    urlOf(chain, endMs - 5 * SECOND_MS, endMs),
    clipUrl(chain, endMs - 5 * SECOND_MS, endMs),
  ]) {
    const answer = await asked(chain, url)
    expect([answer.status, problem(answer)['detail']]).toEqual([
      400,
      'Nothing is kept of this stream: its source keeps no recording, and it has no dvr.',
    ])
  }
  expect(await pastOf(chain)).toEqual({ dvrMs: 0, archive: false, clip: false })
})

async function pastOf({ site }: Chain): Promise<unknown> {
  const { body } = await during(site.clock, get(`${site.gateway.publicUrl}/web/feed?streams=lobby`))
  const { streams } = JSON.parse(String(body)) as { streams: readonly { past: unknown }[] }
  return streams[0]?.past
}
