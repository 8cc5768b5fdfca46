import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { UpstreamAgent } from '../../../src/upstream/agent.ts'
import type { HlsSession } from '../../../src/upstream/hls-session.ts'
import { type KvsSessionDeps, openKvsSession } from '../../../src/upstream/kvs/kvs-session.ts'
import type { KvsSource } from '../../../src/upstream/kvs/kvs-source.ts'
import { LocalStreamQuota } from '../../../src/upstream/kvs/quota.ts'
import { SdkKvsApi } from '../../../src/upstream/kvs/sdk-kvs-api.ts'
import type { ListedFragment } from '../../../src/upstream/listed-fragment.ts'
import { SessionDeadError } from '../../../src/upstream/session-dead-error.ts'
import { hlsSessionContract } from '../../contract/hls-session.ts'
import { ManualClock } from '../../support/manual-clock.ts'
import { type KvsStub, startKvsStub } from '../support/kvs-stub.ts'
import { failure, outcome } from '../support/outcome.ts'

const SOURCE: KvsSource = {
  streamName: 'lobby-camera',
  fragmentSelectorType: 'PRODUCER_TIMESTAMP',
  containerFormat: 'FRAGMENTED_MP4',
  discontinuityMode: 'ON_DISCONTINUITY',
  expiresMs: 300_000,
  fragmentResults: 10,
}
const never = new AbortController().signal
const NUMBER = 91343852333185057105875891022195998207386831087n

const MASTER = '/hls/v1/getHLSMasterPlaylist.m3u8?SessionToken=Ci~'
const PLAYLIST = '/hls/v1/getHLSMediaPlaylist.m3u8?SessionToken=Ci~&TrackNumber=1'
const INIT = '/hls/v1/getMP4InitFragment.mp4?SessionToken=Ci~&TrackNumber=1'
const fragmentPath = (number: bigint | number): string =>
  `/hls/v1/getMP4MediaFragment.mp4?FragmentNumber=${number}&SessionToken=Ci~&TrackNumber=1&New=%7e`

const relative = (path: string): string => path.replace('/hls/v1/', '')

function playlist(...numbers: readonly (bigint | number)[]): string {
  const fragments = numbers.map(
    (number, i) =>
      `#EXT-X-PROGRAM-DATE-TIME:2026-01-01T00:00:0${i}.000Z\n#EXTINF:1.0,\n${relative(fragmentPath(number))}\n`,
  )
  return `#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXT-X-MAP:URI="${relative(INIT)}"\n${fragments.join('')}`
}

let kvs: KvsStub
let agent: UpstreamAgent
let clock: ManualClock
let deps: KvsSessionDeps

beforeEach(async () => {
  kvs = await startKvsStub()
  Object.assign(kvs.replies, {
    '/getDataEndpoint': [{ body: { DataEndpoint: kvs.url } }],
    '/getHLSStreamingSessionURL': [{ body: { HLSStreamingSessionURL: kvs.url + MASTER } }],
    [MASTER]: [
      {
        body: `#EXTM3U\n#EXT-X-STREAM-INF:CODECS="avc1.4d4032",BANDWIDTH=1\n${relative(PLAYLIST)}\n`,
      },
    ],
    [PLAYLIST]: [{ body: playlist(NUMBER, NUMBER + 1n) }],
    [INIT]: [{ body: 'init' }],
    [fragmentPath(NUMBER)]: [{ body: 'fragment' }],
  })
  agent = new UpstreamAgent()
  clock = new ManualClock()
  deps = {
    api: new SdkKvsApi(clock, Math.random, { endpoint: kvs.url }),
    dispatcher: agent,
    clock,
    random: () => 0.5,
    quota: new LocalStreamQuota(clock),
    observer: { request: () => {} },
  }
})

afterEach(async () => {
  await agent.destroy()
  deps.api.close()
  await kvs.close()
})

const open = (): Promise<HlsSession> => outcome(clock, openKvsSession(deps, SOURCE, never))

async function firstListed(session: HlsSession): Promise<ListedFragment> {
  const [fragment] = await session.list('video', never)
  if (fragment === undefined) throw new Error('nothing listed')
  return fragment
}

const count = (path: string): number => kvs.calls.filter((call) => call.path === path).length

test('a session knows its end, its tracks and a number of its own', async () => {
  const before = clock.now()
  const [first, second] = [await open(), await open()]

  expect(first.openedAtMs).toBeGreaterThanOrEqual(before)
  expect(first.expiresAtMs - first.openedAtMs).toBe(300_000)
  expect(first.playlists).toEqual(['video'])
  expect(second.id).toBeGreaterThan(first.id)
})

test('a poll is one GET, and lists what can be fetched as it was written', async () => {
  const session = await open()
  const fragment = await firstListed(session)

  expect(count(PLAYLIST)).toBe(1)
  expect(fragment.number).toBe(NUMBER)
  expect(String(await session.fragment(fragment, never))).toBe('fragment')
})

test('a multivariant playlist that is garbage is no session', async () => {
  kvs.replies[MASTER] = [{ body: '{}' }]
  expect(await failure(open())).toMatchObject({ code: 'upstream_unavailable' })
})

describe('any fragment that is still kept', () => {
  test('is reached by its number, other parameters verbatim', async () => {
    const session = await open()
    await session.list('video', never)
    kvs.replies[fragmentPath(NUMBER - 50n)] = [{ headers: { 'content-length': 3 }, body: 'old' }]
    const { size, body } = await session.openFragment('video', NUMBER - 50n, never)

    expect(size).toBe(3)
    for await (const chunk of body) expect(String(chunk)).toBe('old')
  })

  test('is reached in a session that has listed nothing yet', async () => {
    const session = await open()
    kvs.replies[fragmentPath(NUMBER)] = [{ headers: { 'content-length': 3 }, body: 'old' }]
    expect((await session.openFragment('video', NUMBER, never)).size).toBe(3)
  })

  test('is not, when the session counts from its own start', async () => {
    const session = await open()
    kvs.replies[PLAYLIST] = [{ body: playlist(0, 1) }]
    await session.list('video', never)
    expect(await failure(session.openFragment('video', NUMBER, never))).toMatchObject({
      code: 'segment_gone',
    })
  })

  test('unless it is gone', async () => {
    const session = await open()
    await session.list('video', never)
    kvs.replies[fragmentPath(NUMBER)] = [{ status: 404 }]
    expect(await failure(session.openFragment('video', NUMBER, never))).toMatchObject({
      code: 'segment_gone',
    })
  })
})

test('a refused token is the end of the session', async () => {
  const session = await open()
  kvs.replies[PLAYLIST] = [{ status: 403, body: { Message: 'Streaming session token is expired' } }]
  expect(await failure(session.list('video', never))).toBeInstanceOf(SessionDeadError)
})

test('G9: polls beyond five a second wait for their turn', async () => {
  const session = await open()
  const start = clock.now()
  await outcome(clock, Promise.all(Array.from({ length: 11 }, () => session.list('video', never))))
  expect(clock.now() - start).toBeGreaterThanOrEqual(2000)
})

hlsSessionContract('a session of Kinesis Video Streams', ({ server, agent: dispatcher, clock }) => {
  Object.assign(server.replies, {
    '/getDataEndpoint': JSON.stringify({ DataEndpoint: server.url }),
    '/getHLSStreamingSessionURL': JSON.stringify({ HLSStreamingSessionURL: server.url + MASTER }),
    [MASTER]: `#EXTM3U\n#EXT-X-STREAM-INF:CODECS="avc1.4d4032",BANDWIDTH=1\n${relative(PLAYLIST)}\n`,
    [PLAYLIST]: playlist(NUMBER, NUMBER + 1n),
    [INIT]: 'init',
    [fragmentPath(NUMBER)]: 'fragment',
  })
  const api = new SdkKvsApi(clock, () => 0.5, { endpoint: server.url })
  const quota = new LocalStreamQuota(clock)
  const observer = { request: () => {} }
  return {
    paths: { list: PLAYLIST, init: INIT, fragment: fragmentPath(NUMBER) },
    open: (signal) =>
      openKvsSession(
        { api, dispatcher, clock, random: () => 0.5, quota, observer },
        SOURCE,
        signal,
      ),
  }
})
