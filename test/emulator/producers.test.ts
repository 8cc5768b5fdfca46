import { DescribeStreamCommand } from '@aws-sdk/client-kinesis-video'
import type { GetHLSStreamingSessionURLInput } from '@aws-sdk/client-kinesis-video-archived-media'
import { expect, test } from 'vitest'
import type { CameraEvent } from '../../src/emulator/camera/event.ts'
import type { CameraConfigInput } from '../../src/emulator/config.ts'
import {
  controlClient,
  get,
  links,
  NOON,
  numbers,
  openSession,
  playlistUrl,
  type Rig,
  rig,
} from './support/client.ts'
import { decode, jumps, probe } from './support/ffmpeg.ts'

type Input = Partial<CameraEvent> & { readonly type: CameraEvent['type'] }

const ASK = {
  StreamName: 'cam',
  HLSFragmentSelector: { FragmentSelectorType: 'PRODUCER_TIMESTAMP' },
  DiscontinuityMode: 'ON_DISCONTINUITY',
  DisplayFragmentTimestamp: 'ALWAYS',
} as const satisfies GetHLSStreamingSessionURLInput

/** A camera with fragments of one second, to which these things happened at seconds before noon. */
async function withEvents(
  events: readonly (readonly [secondsBefore: number, event: Input])[],
  camera: CameraConfigInput = {},
): Promise<Rig> {
  const ordered = events.map(([before, event]) => ({ atMs: NOON - before * 1000, event }))
  const cam = { clip: 'av-360p', events: ordered, ...camera } as CameraConfigInput
  const it = await rig({ config: { cameras: { cam } } })
  // So that the fragment that ends at noon is listed.
  it.clock.advance(200)
  return it
}

/** ON_DEMAND: the last `seconds` before noon. */
function ofThePast(seconds: number, more: object = {}): GetHLSStreamingSessionURLInput {
  const range = {
    StartTimestamp: new Date(NOON - seconds * 1000),
    EndTimestamp: new Date(NOON - 1),
  }
  const selector = { ...ASK.HLSFragmentSelector, TimestampRange: range }
  return { ...ASK, PlaybackMode: 'ON_DEMAND', HLSFragmentSelector: selector, ...more }
}

interface Listed {
  readonly text: string
  readonly masterUrl: string
  /** Milliseconds after noon. */
  readonly starts: readonly number[]
  readonly urls: readonly string[]
  readonly maps: readonly string[]
}

async function list(it: Rig, input: GetHLSStreamingSessionURLInput): Promise<Listed> {
  const masterUrl = await openSession(it.emulator.url, input)
  return read(masterUrl)
}

async function read(masterUrl: string): Promise<Listed> {
  const { text } = await get(playlistUrl(masterUrl))
  return {
    text,
    masterUrl,
    starts: [...text.matchAll(/DATE-TIME:(.*)/g)].map(([, time]) => Date.parse(time ?? '') - NOON),
    urls: links(text, masterUrl, 'get(?:MP4Media|TS)Fragment'),
    maps: links(text, masterUrl, 'getMP4InitFragment'),
  }
}

const statuses = async (urls: readonly string[]): Promise<readonly number[]> =>
  Promise.all(urls.map(async (url) => (await get(url)).status))

const counterOf = (number: string): number =>
  Number(BigInt.asUintN(32, BigInt(number) >> 92n)) % 1000

test('another size in the same codec is new codec private data: one session shows both', async () => {
  await using it = await withEvents([[4, { type: 'clip', clip: 'av-720p' }]])
  const { text, masterUrl, starts, urls, maps } = await list(it, ofThePast(8))
  expect(starts).toEqual([-8000, -7000, -6000, -5000, -4000, -2000])
  expect(text.match(/EXTINF:.*/g)).toEqual([
    ...Array<string>(4).fill('EXTINF:1.0,'),
    'EXTINF:2.0,',
    'EXTINF:2.0,',
  ])
  expect(maps).toHaveLength(2)
  expect(text.match(/#EXT-X-DISCONTINUITY\n/g)).toHaveLength(1)
  expect(new Set(await statuses([...urls, ...maps]))).toEqual(new Set([200]))
  expect(numbers(text).map(counterOf).slice(4)).toEqual([1, 2])

  const after = [maps[1] ?? '', ...urls.slice(4)]
  const bytes = Buffer.concat(await Promise.all(after.map(async (url) => (await get(url)).bytes)))
  expect(await decode(bytes)).toBe('')
  expect(jumps(await probe(bytes))).toEqual([])
  expect((await get(masterUrl)).text).toContain('RESOLUTION=1280x720')
})

test.each([
  ['another codec', 'hevc', ['avc1', 'hvc1'], 'video/h265'],
  ['no sound', 'video-only', ['avc1', 'avc1'], 'video/h264'],
  ['no pictures', 'audio-only', ['avc1', 'mp4a'], 'audio/aac'],
] as const)(
  '%s: loading fails with 400 until there is a new session',
  async (_, clip, codecs, type) => {
    await using it = await withEvents([])
    const old = await openSession(it.emulator.url, ASK)
    it.emulator.control.order('cam', { type: 'clip', clip })
    it.clock.advance(5200)

    const { urls, maps, masterUrl } = await read(old)
    expect(await statuses(urls)).toEqual([200, 200, 200, 400, 400])
    expect(await statuses(maps)).toEqual([200, 400])
    const later = await list(it, ASK)
    expect(later.urls).toHaveLength(2)
    expect(await statuses([...later.urls, ...later.maps])).toEqual([200, 200, 200])
    const masters = await Promise.all(
      [masterUrl, later.masterUrl].map(async (url) => (await get(url)).text),
    )
    expect(masters.map((text) => /CODECS="(\w+)/.exec(text)?.[1])).toEqual(codecs)
    const described = await controlClient(it.emulator.url).send(
      new DescribeStreamCommand({ StreamName: 'cam' }),
    )
    expect(described.StreamInfo?.MediaType).toBe(type)
  },
)

test.each(['ON_DEMAND', 'LIVE_REPLAY'] as const)(
  '%s has the tracks of the first fragment in its range',
  async (PlaybackMode) => {
    await using it = await withEvents([[4, { type: 'clip', clip: 'hevc' }]])
    for (const ContainerFormat of ['FRAGMENTED_MP4', 'MPEG_TS'] as const) {
      const before = await openSession(
        it.emulator.url,
        ofThePast(6, { PlaybackMode, ContainerFormat }),
      )
      const since = await openSession(
        it.emulator.url,
        ofThePast(4, { PlaybackMode, ContainerFormat }),
      )
      if (PlaybackMode === 'LIVE_REPLAY') it.clock.advance(6000)
      expect(await statuses((await read(before)).urls)).toEqual([200, 200, 400, 400])
      expect(await statuses((await read(since)).urls)).toEqual([200, 200])
    }
  },
)

test('a clip without the one track that is wanted comes with the other', async () => {
  await using it = await withEvents([
    [6, { type: 'tracks', video: true, audio: false }],
    [4, { type: 'clip', clip: 'audio-only' }],
    [0, { type: 'clip', clip: 'av-360p' }],
  ])
  it.clock.advance(1000)
  const tracks = it.emulator.control
    .fragments('cam', 9)
    .map((fragment) => fragment.tracks.join('+'))
  expect(tracks.filter((kinds, i) => kinds !== tracks[i - 1])).toEqual([
    'video+audio',
    'video',
    'audio',
    'video',
  ])
})

test('events ordered before a change of clip fall on the fragments of their time', async () => {
  await using it = await withEvents([])
  it.emulator.control.order('cam', { type: 'drop', count: 1 }, NOON + 6000)
  it.emulator.control.order('cam', { type: 'clip', clip: 'av-720p' }, NOON + 1500)
  it.clock.advance(11_000)
  const { starts } = await list(it, { ...ASK, MaxMediaPlaylistFragmentResults: 6 })
  expect(starts).toEqual([-1000, 0, 1000, 2000, 4000, 8000])
})

test('codec private data may change with every fragment, past what a session bears', async () => {
  await using it = await withEvents([[1, { type: 'codec-private-data', changes: 520 }]])
  const live = await openSession(it.emulator.url, { ...ASK, Expires: 3600 })
  it.clock.advance(498_000)
  const { text, maps } = await read(live)
  expect(maps.map((url) => new URL(url).searchParams.get('SequenceNumber'))).toEqual([
    '495',
    '496',
    '497',
    '498',
    '499',
  ])
  expect(await statuses(maps.slice(0, 4))).toEqual([200, 200, 200, 200])
  expect(text.match(/#EXT-X-DISCONTINUITY\n/g)).toHaveLength(5)
  it.clock.advance(2000)
  expect((await get(playlistUrl(live))).status).toBe(400)
  // Afterwards the encoder is calm again.
  it.clock.advance(60_000)
  expect((await list(it, ASK)).maps).toHaveLength(1)
})

test('two producers take turns, each with its clock, connection and codec private data', async () => {
  await using it = await withEvents([
    [6, { type: 'alternate', count: 4, every: 2, ms: -3_600_000 }],
  ])
  const { text, maps, starts } = await list(it, {
    ...ASK,
    MaxMediaPlaylistFragmentResults: 8,
  })
  const hour = 3_600_000
  expect(starts).toEqual([-8000, -7000, -6000 - hour, -5000 - hour, -4000, -3000, -2000, -1000])
  expect(text.match(/#EXT-X-DISCONTINUITY\n/g)).toHaveLength(2)
  expect(numbers(text).map(counterOf).slice(-6)).toEqual([1, 2, 1, 2, 3, 4])
  const [first, second, third] = await Promise.all(maps.map(async (url) => (await get(url)).bytes))
  expect(second).not.toEqual(first)
  expect(third).toEqual(first)
})

test('a clock that runs off does so by its ppm, until it is put right', async () => {
  await using it = await withEvents([
    [1000, { type: 'drift', ppm: 500 }],
    [500, { type: 'drift', ppm: 0 }],
  ])
  const { starts } = await list(it, ofThePast(1002, { MaxMediaPlaylistFragmentResults: 2000 }))
  expect(starts.slice(0, 7)).toEqual(
    [-1002, -1001, -1000, -998.9995, -997.999, -996.9985, -995.998].map((s) =>
      Math.round(1000 * s + 1e-6),
    ),
  )
  expect(starts.slice(-2)).toEqual([-1750, -750])
})

test('a clock that falls back by exact fragments makes twins, of which the later one stays', async () => {
  await using it = await withEvents([[4, { type: 'skew', ms: -2000 }]])
  const { text, starts } = await list(it, { ...ASK, MaxMediaPlaylistFragmentResults: 6 })
  // Seconds -6 and -5 came twice.
  expect(starts).toEqual([-8000, -7000, -6000, -5000, -4000, -3000])
  const late = it.emulator.control.fragments('cam', 4).map(({ number }) => number)
  expect(numbers(text).slice(-4)).toEqual(late)
  const byServer = await list(it, { StreamName: 'cam', MaxMediaPlaylistFragmentResults: 6 })
  expect(byServer.urls).toHaveLength(6)
})
