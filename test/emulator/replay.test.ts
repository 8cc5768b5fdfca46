import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { encodeFragmentNumber } from '../../src/emulator/camera/fragment-number.ts'
import type { FragmentView } from '../../src/emulator/control/views.ts'
import { replay } from '../../src/emulator/replay/replay.ts'
import type { KvsObservations, ListedFragments, Trace } from '../../src/trace/trace.ts'
import { get, links, NOON, openSession, playlistUrl, type Rig, rig } from './support/client.ts'

/** When the trace was taken: half a year before it is replayed. */
const TAKEN = NOON - 180 * 86_400_000

type Listed = ListedFragments['fragments'][number]

function observed(fragments: readonly Listed[], more: Partial<KvsObservations> = {}): Trace {
  const observations: KvsObservations = {
    kind: 'kvs',
    takenMs: TAKEN,
    settings: {
      identity: 'name',
      region: 'eu-west-1',
      fragmentSelectorType: 'PRODUCER_TIMESTAMP',
      containerFormat: 'FRAGMENTED_MP4',
      discontinuityMode: 'ON_DISCONTINUITY',
      expiresS: 300,
      fragmentResults: 5,
    },
    use: { always: false, dvrMs: 0, archive: false },
    proxy: false,
    isCut: false,
    described: { status: 'ACTIVE', retentionHours: 2, ownKey: false },
    listing: {
      startMs: TAKEN - 300_000,
      endMs: TAKEN,
      isWhole: true,
      fragments: [...fragments],
    },
    calls: [],
    ...more,
  }
  return { trace: 1, program: '0.0.0', streams: [{ name: 'stream-1', observations }] }
}

/** Fragments one after another till the trace was taken, each as its shape says. */
interface Shape {
  readonly lengthMs: number
  readonly gapMs: number
  readonly bytes: number
  readonly delayMs: number
}

function laid(shapes: readonly Shape[], aheadMs = 0): readonly Listed[] {
  const lastedMs = shapes.reduce((sum, { lengthMs, gapMs }) => sum + lengthMs + gapMs, 0)
  let atMs = TAKEN - lastedMs - 700
  return shapes.map(({ lengthMs, gapMs, bytes, delayMs }, i) => {
    const serverMs = atMs + delayMs
    const number = encodeFragmentNumber({ counter: 1000 + 2 * i, serverMs, random: i })
    const producerMs = atMs + aheadMs
    atMs += lengthMs + gapMs
    return { number: String(number), producerMs, serverMs, lengthMs: lengthMs - 100, bytes }
  })
}

async function play(trace: Trace): Promise<Rig> {
  return rig({ config: replay(trace, NOON).config })
}

const steps = (values: readonly number[]): readonly number[] =>
  values.slice(1).map((value, i) => value - (values[i] ?? 0))
const played = (it: Rig, count: number): readonly FragmentView[] =>
  it.emulator.control.fragments('stream-1', count)

const LAST: Shape = { lengthMs: 2000, gapMs: 0, bytes: 0, delayMs: 200 }
const shape = fc.record({
  lengthMs: fc.integer({ min: 1000, max: 12_000 }),
  gapMs: fc.constantFrom(0, 0, 0, 5000),
  bytes: fc.integer({ min: 0, max: 400_000 }),
  delayMs: fc.integer({ min: 100, max: 400 }),
})

test('lengths, gaps, delays and clocks are those of the trace, moved to now', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(shape, { minLength: 2, maxLength: 20 }),
      fc.constantFrom(0, -600_000, 600_000),
      async (shapes, aheadMs) => {
        const listed = laid([...shapes, LAST], aheadMs)
        await using it = await play(observed(listed))
        const shown = played(it, listed.length)
        expect(steps(shown.map(({ producerMs }) => producerMs))).toEqual(
          steps(listed.map(({ producerMs }) => producerMs)),
        )
        expect(shown.map(({ serverMs }) => serverMs - NOON)).toEqual(
          listed.map(({ serverMs }) => serverMs - TAKEN),
        )
        expect(shown.map(({ producerMs }) => producerMs - NOON)).toEqual(
          listed.map(({ producerMs }) => producerMs - TAKEN),
        )
      },
    ),
    { numRuns: 15 },
  )
})

describe('a stream of a trace', () => {
  const even = Array.from({ length: 10 }, () => ({
    lengthMs: 3000,
    gapMs: 0,
    bytes: 90_000,
    delayMs: 200,
  }))

  test('begins again where the trace ends, without a seam', async () => {
    await using it = await play(observed(laid(even)))
    it.clock.advance(95_000)
    const shown = played(it, 30)
    expect(new Set(steps(shown.map(({ producerMs }) => producerMs)))).toEqual(new Set([3000]))
    const numbers = shown.map(({ number }) => BigInt(number))
    expect(numbers).toEqual(numbers.toSorted((a, b) => (a < b ? -1 : 1)))
  })

  test('stays silent if its producer was', async () => {
    const listed = laid(even).map((fragment) => ({
      ...fragment,
      producerMs: fragment.producerMs - 60_000,
      serverMs: fragment.serverMs - 60_000,
    }))
    await using it = await play(observed(listed))
    it.clock.advance(120_000)
    const [last] = played(it, 1)
    expect(NOON - (last?.serverMs ?? 0)).toBe(TAKEN - (listed.at(-1)?.serverMs ?? 0))
  })

  test('has producer timestamps from zero, if it had', async () => {
    const listed = laid(even, -(TAKEN - 100_000))
    await using it = await play(observed(listed))
    expect(played(it, 1)[0]?.producerMs).toBeLessThan(100_000)
  })

  test('that never had a fragment has none', async () => {
    await using it = await play(observed([], { recorded: false }))
    expect(played(it, 1)).toEqual([])
  })

  test.each(['FRAGMENTED_MP4', 'MPEG_TS'] as const)(
    '%s: has fragments as large',
    async (ContainerFormat) => {
      await using it = await play(observed(laid(even)))
      it.clock.advance(1000)
      const ask = { StreamName: 'stream-1', ContainerFormat }
      const url = playlistUrl(await openSession(it.emulator.url, ask))
      const [first = ''] = links((await get(url)).text, url, 'get(?:MP4Media|TS)Fragment')
      const fragment = await get(first)
      expect(fragment.status).toBe(200)
      expect(fragment.bytes.length).toBeGreaterThan(80_000)
      expect(fragment.bytes.length).toBeLessThan(110_000)
    },
  )

  test('is refused as it was, by names of its own', async () => {
    const message =
      'User: [arn] is not authorized to perform: kinesisvideo:ListFragments on resource: [arn]'
    const fault = { name: 'AccessDeniedException', message, crossAccount: true }
    const call = { operation: 'ListFragments', atMs: 0, tookMs: 1, status: 403, fault }
    const { config } = replay(observed([], { calls: [call] }), NOON)
    expect(config.cameras?.['stream-1']?.faults).toEqual([
      {
        kind: 'status',
        operation: 'ListFragments',
        status: 403,
        type: 'AccessDeniedException',
        message:
          'User: arn:aws:iam::123456789012:user/viewer is not authorized to perform: kinesisvideo:ListFragments on resource: arn:aws:kinesisvideo:us-west-2:210987654321:stream/replayed/0',
        probability: 1,
      },
    ])
  })
})

test('lists and boxes are as they were', () => {
  const text = [
    '#EXTM3U',
    '#EXT-X-MEDIA-SEQUENCE:1',
    '#EXT-X-MAP:URI="getMP4InitFragment.mp4?SessionToken=token&TrackNumber=1"',
    '#EXTINF:2,',
    'getMP4MediaFragment.mp4?FragmentNumber=7&SessionToken=token&TrackNumber=1',
  ].join('\n')
  const media = {
    bytes: 9,
    boxes: [
      { type: 'styp', size: 24 },
      { type: 'moof', size: 9 },
      { type: 'moof', size: 9 },
    ],
    baseTicks: 0,
  }
  const video = {
    name: 'video' as const,
    playlists: [{ atMs: 0, text }],
    inits: [{ boxes: [], timescale: 90_000 }],
    media: [media, media],
  }
  const { config } = replay(observed([], { session: { renditions: [video] } }), NOON)
  expect(config.cameras?.['stream-1']).toMatchObject({
    fragmentUri: 'index',
    mediaSequenceStart: 1,
    mapSequenceNumber: false,
    numberFormat: 'plain',
    styp: true,
    sidx: false,
    moofs: 2,
    tfdtBase: 'fragment',
  })
})

test('what cannot be replayed is told, once for all streams that it is true of', () => {
  const { differences, config } = replay(observed([]), NOON)
  expect(differences).toContain(
    'stream-1: no fragment was listed: lengths, times and sizes of fragments are the emulator’s own',
  )
  expect(config.region).toBe('eu-west-1')

  const fault = { name: 'CredentialsProviderError', message: 'none' }
  const trace = observed([], { calls: [{ operation: 'Credentials', atMs: 0, tookMs: 1, fault }] })
  const [first] = trace.streams
  if (first === undefined) throw new RangeError('no stream')
  const origin = {
    kind: 'hls' as const,
    takenMs: TAKEN,
    use: { always: false, dvrMs: 0, archive: false },
    proxy: false,
    isCut: false,
    calls: [],
  }
  const streams = [
    first,
    { ...first, name: 'stream-2' },
    { name: 'stream-3', observations: origin },
  ]
  expect(replay({ ...trace, streams }, NOON).differences).toEqual([
    'stream-1, stream-2: no fragment was listed: lengths, times and sizes of fragments are the emulator’s own',
    'stream-1, stream-2: Credentials failed (CredentialsProviderError), which is not replayed',
    'stream-3: an HLS origin is not replayed',
  ])
})
