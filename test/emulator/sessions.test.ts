import { expect, test } from 'vitest'
import type { CameraConfigInput } from '../../src/emulator/config.ts'
import {
  get,
  links,
  NOON,
  numbers,
  openSession,
  playlistUrl,
  type Rig,
  rig,
} from './support/client.ts'

const PRODUCER = { FragmentSelectorType: 'PRODUCER_TIMESTAMP' } as const
const withCamera = (camera: CameraConfigInput): Promise<Rig> =>
  rig({ config: { cameras: { cam: camera } } })

test('a session ends exactly at its expiry, for all that it gave', async () => {
  await using it = await withCamera({ clip: 'av-360p' })
  const masterUrl = await openSession(it.emulator.url, { StreamName: 'cam', Expires: 300 })
  it.clock.advance(299_999)
  const { text } = await get(playlistUrl(masterUrl))
  const urls = [masterUrl, playlistUrl(masterUrl), ...links(text, masterUrl, 'getMP4')]
  for (const url of urls) expect((await get(url)).status).toBe(200)

  it.clock.advance(1)
  for (const url of urls) {
    const answer = await get(url)
    expect(answer.status).toBe(403)
    expect(JSON.parse(answer.text)).toEqual({ Message: 'Streaming session token is expired' })
  }
})

test('a test may ask for shorter sessions than AWS allows', async () => {
  await using it = await withCamera({ minExpires: 5 })
  const masterUrl = await openSession(it.emulator.url, { StreamName: 'cam', Expires: 5 })
  it.clock.advance(5000)
  expect((await get(masterUrl)).status).toBe(403)
})

test('tokens have the shape of real ones and stand unescaped in URIs', async () => {
  await using it = await rig()
  const masterUrl = await openSession(it.emulator.url, { StreamName: 'lobby-camera' })
  const token = masterUrl.split('SessionToken=')[1] ?? ''
  expect(token).toMatch(/^Ci[\w-]{149}~$/)
  const bytes = Buffer.from(token.replaceAll('~', '='), 'base64url')
  expect(bytes).toHaveLength(113)
  expect([0, 34, 52, 79].map((at) => bytes[at])).toEqual([0x0a, 0x12, 0x1a, 0x22])
  expect((await get(masterUrl)).text).toContain(`SessionToken=${token}&TrackNumber=1`)
})

test('one session is revoked, or all of a camera', async () => {
  await using it = await rig()
  const [a, b] = [
    await openSession(it.emulator.url, { StreamName: 'lobby-camera' }),
    await openSession(it.emulator.url, { StreamName: 'lobby-camera' }),
  ]
  expect(it.emulator.control.revoke('lobby-camera', a.split('SessionToken=')[1])).toBe(1)
  expect([(await get(a)).status, (await get(b)).status]).toEqual([403, 200])
  expect(it.emulator.control.revoke('lobby-camera')).toBe(2)
  expect((await get(b)).status).toBe(403)
})

test('two sessions list the same fragments under the same numbers, tracks too', async () => {
  await using it = await rig()
  const first = await openSession(it.emulator.url, { StreamName: 'lobby-camera' })
  it.clock.advance(4000)
  const second = await openSession(it.emulator.url, { StreamName: 'lobby-camera' })
  const lists = [playlistUrl(first), playlistUrl(second), playlistUrl(second, 2)]
  const [a, b, c] = await Promise.all(lists.map(async (url) => numbers((await get(url)).text)))
  expect(a).toEqual(b)
  expect(b).toEqual(c)
})

test('the first list after a start holds what there is: one fragment', async () => {
  const events = [
    { event: { type: 'stop' } as const },
    { atMs: NOON, event: { type: 'resume' } as const },
  ]
  await using it = await withCamera({ events })
  await expect(openSession(it.emulator.url, { StreamName: 'cam' })).rejects.toMatchObject({
    name: 'ResourceNotFoundException',
  })
  it.clock.advance(2150)
  const masterUrl = await openSession(it.emulator.url, { StreamName: 'cam' })
  expect(numbers((await get(playlistUrl(masterUrl))).text)).toHaveLength(1)
})

test('30 s after the last fragment there are no new sessions, and not a moment earlier', async () => {
  await using it = await withCamera({})
  it.emulator.control.stopProducer('cam')
  // The last whole fragment ended at noon and was listed 150 ms later.
  it.clock.advance(30_149)
  await expect(openSession(it.emulator.url, { StreamName: 'cam' })).resolves.toBeDefined()
  it.clock.advance(1)
  await expect(openSession(it.emulator.url, { StreamName: 'cam' })).rejects.toMatchObject({
    name: 'ResourceNotFoundException',
  })
})

test('without the rule, a stream that is silent for long still opens', async () => {
  await using it = await withCamera({ recentFragmentRule: false, silence: 'frozen' })
  it.emulator.control.stopProducer('cam')
  it.clock.advance(3_600_000)
  const masterUrl = await openSession(it.emulator.url, { StreamName: 'cam' })
  expect(numbers((await get(playlistUrl(masterUrl))).text)).toHaveLength(5)
})

test.each([
  ['not-found', 404, 0],
  ['frozen', 200, 5],
  ['empty', 200, 0],
] as const)('silence of 30 s: %s answers %i with %i fragments', async (silence, status, count) => {
  await using it = await withCamera({ silence })
  const masterUrl = await openSession(it.emulator.url, { StreamName: 'cam' })
  it.clock.advance(200)
  it.emulator.control.stopProducer('cam')
  it.clock.advance(29_000)
  const before = await get(playlistUrl(masterUrl))
  expect(numbers(before.text)).toHaveLength(5)
  it.clock.advance(3000)
  const after = await get(playlistUrl(masterUrl))
  expect(after.status).toBe(status)
  expect(numbers(after.text)).toHaveLength(count)
})

test.each([
  [true, 200],
  [false, 404],
])('the producer returns after 60 s; revived %s: %i', async (reviveAfterSilence, status) => {
  await using it = await withCamera({ reviveAfterSilence })
  const masterUrl = await openSession(it.emulator.url, { StreamName: 'cam' })
  it.emulator.control.stopProducer('cam')
  it.clock.advance(60_000)
  it.emulator.control.resumeProducer('cam')
  it.clock.advance(2500)
  expect((await get(playlistUrl(masterUrl))).status).toBe(status)
  await expect(openSession(it.emulator.url, { StreamName: 'cam' })).resolves.toBeDefined()
})

test('a pause under 30 s shows as a gap of one session, after which numbers jump a thousand', async () => {
  await using it = await withCamera({})
  const masterUrl = await openSession(it.emulator.url, {
    StreamName: 'cam',
    HLSFragmentSelector: PRODUCER,
    DiscontinuityMode: 'ON_DISCONTINUITY',
  })
  it.emulator.control.stopProducer('cam')
  it.clock.advance(20_000)
  it.emulator.control.resumeProducer('cam')
  it.clock.advance(4500)
  const { text } = await get(playlistUrl(masterUrl))
  expect(text.match(/#EXT-X-DISCONTINUITY\n/g)).toHaveLength(1)
  const counters = numbers(text).map((number) => Number((BigInt(number) >> 92n) % 2n ** 32n))
  const jump = counters.findIndex((counter, i) => counter !== (counters[i - 1] ?? counter - 1) + 1)
  expect(jump).toBeGreaterThan(0)
  expect((counters[jump] ?? 0) % 1000).toBe(1)
})

test.each([
  ['fragments', 100],
  ['polls', 5],
] as const)('after 100 unseen fragments, sequence by %s is at %i', async (mode, sequence) => {
  await using it = await withCamera({ mediaSequenceAdvance: mode, minExpires: 1 })
  const masterUrl = await openSession(it.emulator.url, { StreamName: 'cam', Expires: 1000 })
  it.clock.advance(200_000)
  const { text } = await get(playlistUrl(masterUrl))
  expect(text).toContain(`#EXT-X-MEDIA-SEQUENCE:${sequence}\n`)
})

test('LIVE_REPLAY adds a fragment each time one has played, up to the present', async () => {
  await using it = await withCamera({})
  const masterUrl = await openSession(it.emulator.url, {
    StreamName: 'cam',
    PlaybackMode: 'LIVE_REPLAY',
    HLSFragmentSelector: { ...PRODUCER, TimestampRange: { StartTimestamp: new Date(NOON - 6000) } },
  })
  const count = async (): Promise<number> =>
    numbers((await get(playlistUrl(masterUrl))).text).length
  expect(await count()).toBe(1)
  it.clock.advance(1999)
  expect(await count()).toBe(1)
  it.clock.advance(1)
  expect(await count()).toBe(2)
  it.clock.advance(60_000)
  const { text } = await get(playlistUrl(masterUrl))
  expect(text).toContain('#EXT-X-MEDIA-SEQUENCE:27\n')
  expect(text).not.toContain('ENDLIST')
})

test('LIVE_REPLAY as an EVENT keeps all it ever listed', async () => {
  await using it = await withCamera({ replayPlaylistType: 'EVENT', replayEndList: false })
  const masterUrl = await openSession(it.emulator.url, {
    StreamName: 'cam',
    PlaybackMode: 'LIVE_REPLAY',
    HLSFragmentSelector: {
      ...PRODUCER,
      TimestampRange: {
        StartTimestamp: new Date(NOON - 60_000),
        EndTimestamp: new Date(NOON - 30_000),
      },
    },
  })
  it.clock.advance(120_000)
  const { text } = await get(playlistUrl(masterUrl))
  expect(text).toContain('#EXT-X-PLAYLIST-TYPE:EVENT\n')
  expect(text).not.toContain('ENDLIST')
  expect(numbers(text)).toHaveLength(16)
})

test('ON_DEMAND lists the oldest of what is too much, and 404s when there is nothing', async () => {
  await using it = await withCamera({})
  const ask = (from: number, to: number, most: number): Promise<string> =>
    openSession(it.emulator.url, {
      StreamName: 'cam',
      PlaybackMode: 'ON_DEMAND',
      DisplayFragmentTimestamp: 'ALWAYS',
      MaxMediaPlaylistFragmentResults: most,
      HLSFragmentSelector: {
        ...PRODUCER,
        TimestampRange: { StartTimestamp: new Date(from), EndTimestamp: new Date(to) },
      },
    })
  const { text } = await get(playlistUrl(await ask(NOON - 3_600_000, NOON, 3)))
  expect(text.match(/TIME:.*/g)).toEqual([
    'TIME:2026-01-02T11:00:00.000Z',
    'TIME:2026-01-02T11:00:02.000Z',
    'TIME:2026-01-02T11:00:04.000Z',
  ])
  await expect(ask(NOON + 60_000, NOON + 120_000, 3)).rejects.toMatchObject({
    name: 'ResourceNotFoundException',
  })
  // More than a day old: no longer retained.
  await expect(ask(NOON - 90_000_000, NOON - 89_000_000, 3)).rejects.toMatchObject({
    name: 'ResourceNotFoundException',
  })
})

test('ON_DEMAND: of two recordings on the producer’s clock, the one ingested first', async () => {
  const event = { type: 'skew', ms: -20_000 } as const
  await using it = await withCamera({ events: [{ atMs: NOON - 60_000, event }] })
  const masterUrl = await openSession(it.emulator.url, {
    StreamName: 'cam',
    PlaybackMode: 'ON_DEMAND',
    DisplayFragmentTimestamp: 'ALWAYS',
    HLSFragmentSelector: {
      ...PRODUCER,
      TimestampRange: {
        StartTimestamp: new Date(NOON - 90_001),
        EndTimestamp: new Date(NOON - 50_000),
      },
    },
  })
  const { text } = await get(playlistUrl(masterUrl))
  const times = [...text.matchAll(/TIME:(.*)/g)].map(([, time]) => Date.parse(time ?? ''))
  expect(times).toEqual(Array.from({ length: 21 }, (_, i) => NOON - 90_000 + 2000 * i))
  // Where both have the same start, the greater number won: the later recording's.
  const served = numbers(text).map((number) => Number(BigInt.asUintN(64, BigInt(number) >> 28n)))
  expect(served.filter((serverMs, i) => serverMs - (times[i] ?? 0) > 15_000)).toHaveLength(16)
})

test('session-relative fragment numbers lead to the same media', async () => {
  const camera = { clip: 'av-360p', minExpires: 1 } as const
  await using plain = await withCamera(camera)
  await using indexed = await withCamera({ ...camera, fragmentUri: 'index' })
  const bytes = await Promise.all(
    [plain, indexed].map(async (it) => {
      const masterUrl = await openSession(it.emulator.url, { StreamName: 'cam' })
      it.clock.advance(30_000)
      const { text } = await get(playlistUrl(masterUrl))
      const urls = links(text, masterUrl, 'getMP4MediaFragment')
      return Promise.all(urls.map(async (url) => (await get(url)).bytes))
    }),
  )
  expect(bytes[0]).toHaveLength(5)
  expect(bytes[1]).toEqual(bytes[0])
})

test('a fragment that does not exist yet, or never did, is not found', async () => {
  await using it = await withCamera({})
  const masterUrl = await openSession(it.emulator.url, { StreamName: 'cam' })
  const { text } = await get(playlistUrl(masterUrl))
  const last = links(text, masterUrl, 'getMP4MediaFragment').at(-1) ?? ''
  const number = numbers(text).at(-1) ?? ''
  const other = last.replace(number, String(BigInt(number) + 1n))
  expect([(await get(last)).status, (await get(other)).status]).toEqual([200, 404])
  expect((await get(last.replace(number, 'x'))).status).toBe(400)
  expect((await get(last.replace('TrackNumber=1', 'TrackNumber=3'))).status).toBe(400)
})
