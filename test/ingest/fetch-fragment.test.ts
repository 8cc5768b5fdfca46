import { beforeAll, describe, expect, test } from 'vitest'
import { readBoxes } from '../../src/formats/mp4/boxes/box.ts'
import { ownInit } from '../../src/formats/mp4/own-init.ts'
import { rewriteMedia } from '../../src/formats/mp4/rewrite.ts'
import { type FetchedTrack, fetchTracks } from '../../src/ingest/fetch-fragment.ts'
import { retimed } from '../../src/ingest/refetch.ts'
import { SegmentRun } from '../../src/ingest/segment-run.ts'
import type { FragmentWish, PlaylistName, Verify } from '../../src/upstream/hls-session.ts'
import type { ListedFragment, ListedMap } from '../../src/upstream/listed-fragment.ts'
import { SecretUrl } from '../../src/upstream/secret-url.ts'
import { readClip } from '../support/mp4.ts'
import { looseSamples, PACKINGS, pack, withTimescale } from '../support/odd-packer.ts'
import { encode } from '../support/packets.ts'
import { hasTool } from '../support/tools.ts'
import { loneKeyframe, tsFragments } from '../support/ts-clip.ts'
import { IdleSession } from '../upstream/support/idle-session.ts'

const never = new AbortController().signal
const URI = new SecretUrl(new URL('https://x.example/fragment'))

/** A session of one fragment. */
class OneFragment extends IdleSession {
  readonly #init: Buffer | undefined
  readonly #media: Buffer

  constructor(media: Buffer, init?: Buffer) {
    super(1, 0, 0)
    this.#init = init
    this.#media = media
  }

  override async init(...[, , , verify]: InitCall): Promise<never> {
    verify?.(this.#init ?? Buffer.alloc(0))
    return Promise.resolve(this.#init as never)
  }

  override async fragment(...[, , wish]: FragmentCall): Promise<never> {
    wish?.verify?.(this.#media)
    return Promise.resolve(this.#media as never)
  }
}

/** One that sends other bytes each time. */
class Scripted extends OneFragment {
  readonly #bodies: Buffer[]

  constructor(bodies: readonly Buffer[], init: Buffer) {
    super(Buffer.alloc(0), init)
    this.#bodies = [...bodies]
  }

  override async fragment(...[, , wish]: FragmentCall): Promise<never> {
    const body = this.#bodies.shift()
    if (body === undefined) throw new Error('asked for too often')
    wish?.verify?.(body)
    return Promise.resolve(body as never)
  }
}

/** One that sends the same bytes once more where they were not accepted. */
class AskedTwice extends OneFragment {
  override async fragment(...call: FragmentCall): Promise<never> {
    return super.fragment(...call).catch(() => super.fragment(...call))
  }
}

type InitCall = [PlaylistName?, ListedMap?, AbortSignal?, Verify?]
type FragmentCall = [ListedFragment?, AbortSignal?, FragmentWish?]

async function fetchFrom(
  playlist: PlaylistName,
  media: Buffer,
  init?: Buffer,
  leastMs = 0,
): ReturnType<typeof fetchTracks> {
  const map = init === undefined ? undefined : { key: 'map', uri: URI }
  const times = { startMs: 0, durationS: 2, leastMs }
  const listed = { ...times, number: 1n, discontinuity: undefined, uri: URI, map }
  return fetchTracks(new OneFragment(media, init), playlist, listed, never)
}

async function* inPieces(bytes: Buffer, size: number): AsyncGenerator<Buffer> {
  for (let at = 0; at < bytes.length; at += size) {
    yield await Promise.resolve(bytes.subarray(at, at + size))
  }
}

/** Each of them, fetched again: in pieces of any size, from any offset on, the bytes that were published. */
async function expectRefetched(
  media: Buffer,
  tracks: Awaited<ReturnType<typeof fetchTracks>>,
  muxed: boolean,
): Promise<void> {
  const place = { baseTicks: 2 ** 41, sequenceNumber: 7 }
  for (const { bytes, facts } of tracks) {
    const { init } = facts
    for (const [size, offset, more] of [
      [1, 0, 0],
      [100, 0, 700],
      [media.length, 3, -300],
      [189, 1000, 0],
    ] as const) {
      // Where a last picture's length was guessed, the next fragment's first ones make up for it.
      const durationTicks = facts.durationTicks + (facts.steps === undefined ? 0 : more)
      const published = rewriteMedia(bytes, { ...place, durationTicks })
      const body = { size: media.length, body: inPieces(media, size) }
      const again: Buffer[] = []
      const track = { init, durationTicks, muxed, place: { ...place, durationTicks } }
      for await (const chunk of retimed(body, track, offset)) again.push(chunk)
      expect(Buffer.concat(again).equals(published.subarray(offset))).toBe(true)
    }
  }
}

const kinds = (tracks: readonly { readonly rendition: string }[]): readonly string[] =>
  tracks.map(({ rendition }) => rendition)

function lengthMs({ facts: { durationTicks, init } }: FetchedTrack): number {
  return (durationTicks / init.timescale) * 1000
}

describe('MPEG-TS', () => {
  test.each([
    ['av-360p', ['video', 'audio']],
    ['hevc', ['video', 'audio']],
    ['video-only', ['video']],
    ['audio-only', ['audio']],
  ] as const)(
    '%s: each track becomes fragmented MP4, now and when it is fetched again',
    async (name, expected) => {
      const [fragment] = tsFragments(name)
      if (fragment === undefined) throw new Error('no fragment')
      const tracks = await fetchFrom('muxed', fragment.bytes)
      expect(kinds(tracks)).toEqual(expected)
      await expectRefetched(fragment.bytes, tracks, true)
    },
  )

  test('of a lone picture lasts as long as listed, whatever is listed later', async () => {
    const tracks = await fetchFrom('muxed', loneKeyframe())
    expect(tracks.map(({ facts }) => facts.durationTicks)).toEqual([2 * 90_000])
    await expectRefetched(loneKeyframe(), tracks, true)
  })

  test.each(['av-360p', 'video-only', 'audio-only'] as const)(
    'G12: %s: cut between any two packets, it is refused as long as much is missing',
    async (name) => {
      const whole = tsFragments(name)[0]?.bytes ?? Buffer.alloc(0)
      const longestMs: number[] = []
      for (let end = 188; end < whole.length; end += 188) {
        const cut = whole.subarray(0, end)
        const tracks = await fetchFrom('muxed', cut, undefined, 750).catch(() => [])
        // One picture alone may be meant to stay.
        if (tracks.every(({ facts }) => facts.samples === 1)) continue
        longestMs.push(Math.max(...tracks.map(lengthMs)))
      }
      expect(Math.min(...longestMs)).toBeGreaterThanOrEqual(750)
      expect(await fetchFrom('muxed', whole, undefined, 750)).not.toEqual([])
    },
  )

  test('a segment that comes much shorter than listed, twice, is taken, and that is said', async () => {
    const run = new SegmentRun()
    const lacks: (string | undefined)[] = []
    for (const [i, { bytes }] of tsFragments('av-360p').slice(0, 3).entries()) {
      const cut = bytes.subarray(0, i === 1 ? 188 * Math.floor(bytes.length / 2 / 188) : undefined)
      const listed = { startMs: 0, durationS: 2, number: BigInt(i), discontinuity: undefined }
      const fragment = { ...listed, uri: URI, map: undefined }
      const tracks = await fetchTracks(new AskedTwice(cut), 'muxed', fragment, never, { run })
      lacks.push(tracks[0]?.lacks?.what)
    }
    expect(lacks).toEqual([
      undefined,
      expect.stringMatching(/ms of media, listed as 2000 ms/),
      undefined,
    ])
  })

  test('media that came before under another number are taken, and that is said', async () => {
    const run = new SegmentRun()
    const [first, second] = tsFragments('av-360p')
    const lackOf = async (number: bigint, bytes: Buffer, discontinuity?: 'splice') => {
      const listed = { startMs: 0, durationS: 1, number, discontinuity, uri: URI, map: undefined }
      const tracks = await fetchTracks(new OneFragment(bytes), 'muxed', listed, never, { run })
      return tracks[0]?.lacks?.what
    }
    const [a, b] = [first?.bytes ?? Buffer.alloc(0), second?.bytes ?? Buffer.alloc(0)]
    expect(await lackOf(1n, a)).toBeUndefined()
    expect(await lackOf(1n, a)).toBeUndefined()
    expect(await lackOf(2n, b)).toBeUndefined()
    expect(await lackOf(3n, b, 'splice')).toBeUndefined()
    expect(await lackOf(5n, a)).toBe('media that have not been sent before')
  })

  test('of one track may have a playlist of its own', async () => {
    const [fragment] = tsFragments('video-only')
    const bytes = fragment?.bytes ?? Buffer.alloc(0)
    expect(kinds(await fetchFrom('video', bytes))).toEqual(['video'])
    await expectRefetched(bytes, await fetchFrom('video', bytes), false)
    await expect(fetchFrom('audio', bytes)).rejects.toThrow('the audio playlist leads to')
  })

  test.skipIf(!hasTool('ffmpeg'))('of another codec is refused, not asked for again', async () => {
    const media = await encode(1, '-c:v', 'mpeg2video', '-f', 'mpegts')
    await expect(fetchFrom('muxed', media)).rejects.toMatchObject({
      code: 'upstream_unsupported_media',
    })
  })
})

test('bytes that bring no initialization and need one are an error', async () => {
  const { fragments } = readClip('avc')
  await expect(fetchFrom('video', fragments[0] ?? Buffer.alloc(0))).rejects.toThrow(
    'neither MPEG-TS',
  )
})

describe('fragmented MP4, however it is packed', () => {
  const { init } = readClip('avc-bframes')

  test.each(PACKINGS)(
    '%s: is published the same, now and when it is fetched again',
    async (_, packing) => {
      const media = pack(looseSamples('avc-bframes', 1), packing)
      await expectRefetched(media, await fetchFrom('video', media, init), false)
    },
  )

  test.each([
    ['on the way, it is fetched once more', 1, [true, false], undefined],
    ['each time, it is taken, and that is said', 1, [true, true], /\d ms of media, listed as \d/],
    ['as is all that is listed, nothing lacks', 10, [false, false], undefined],
  ] as const)('cut before its last moof box %s', async (_, lists, isCut, lack) => {
    const { init: many, fragments } = readClip('avc-multi')
    const run = new SegmentRun()
    const lengths: number[] = []
    let lacks: string | undefined
    for (const [i, whole] of fragments.slice(0, 3).entries()) {
      const last = readBoxes(whole).findLast(({ type }) => type === 'moof')?.start
      const durationS =
        (lists * ((await fetchFrom('video', whole, many)).map(lengthMs)[0] ?? 0)) / 1000
      const session = new Scripted(
        isCut.map((cut) => whole.subarray(0, i === 2 && cut ? last : undefined)),
        many,
      )
      const times = { startMs: 0, durationS, number: BigInt(i), discontinuity: undefined }
      const listed = { ...times, uri: URI, map: { key: 'map', uri: URI } }
      const [track] = await fetchTracks(session, 'video', listed, never, { run })
      if (track !== undefined) lengths.push((lengthMs(track) * lists) / durationS / 1000)
      lacks = track?.lacks?.what
    }
    if (lack === undefined) expect(lacks).toBeUndefined()
    else expect(lacks).toMatch(lack)
    expect(lengths.map((share) => share > 0.99)).toEqual([true, true, lack === undefined])
  })

  test('what comes in the place of pictures is taken, and that is said', async () => {
    const whole = pack(looseSamples('avc-bframes', 1))
    const zeros = Buffer.from(whole).fill(0, whole.indexOf('mdat') + 4)
    const lacks = async (media: Buffer) => (await fetchFrom('video', media, init))[0]?.lacks?.what
    expect(await lacks(whole)).toBeUndefined()
    expect(await lacks(zeros)).toMatch(/^pictures/)
  })

  test('ticks too fine to be counted from 1970 are coarser, now and when it is fetched again', async () => {
    for (const timescale of [10_000_000, 2 ** 32 - 1]) {
      const shiftTicks = (BigInt(Date.UTC(2026, 0, 1)) * BigInt(timescale)) / 1_000n
      const media = pack(looseSamples('avc-bframes', 1, { timescale, shiftTicks }))
      const tracks = await fetchFrom('video', media, withTimescale(init, timescale))
      expect(tracks[0]?.facts.init).toMatchObject({ timescale: 90_000, sourceTimescale: timescale })
      await expectRefetched(media, tracks, false)
    }
  })
})

test('hev1 becomes hvc1', async () => {
  const { init, fragments } = readClip('hevc')
  const hev1 = Buffer.from(init)
  hev1.write('hev1', hev1.indexOf('hvc1'), 'latin1')
  const [track] = await fetchFrom('video', fragments[0] ?? init, hev1)
  expect(track?.facts.init.codec).toMatch(/^hvc1\./)
  expect(track?.initBytes).toEqual(ownInit(init))
})

describe.skipIf(!hasTool('ffmpeg'))('fragmented MP4 of two tracks', () => {
  let init: Buffer
  let media: Buffer

  beforeAll(async () => {
    const codecs = ['-c:v', 'libx264', '-pix_fmt', 'yuv420p', '-g', '25', '-c:a', 'aac']
    const movflags = 'frag_keyframe+empty_moov+default_base_moof'
    const file = await encode(2, ...codecs, '-movflags', movflags, '-f', 'mp4')
    const ends = readBoxes(file).map(({ type, start, size }) => ({ type, end: start + size }))
    const end = (of: string): number => ends.findLast(({ type }) => type === of)?.end ?? 0
    init = file.subarray(0, end('moov'))
    media = file.subarray(end('moov'), end('mdat'))
  })

  test('is two tracks, now and when it is fetched again', async () => {
    const tracks = await fetchFrom('muxed', media, init)
    expect(kinds(tracks)).toEqual(['video', 'audio'])
    await expectRefetched(media, tracks, true)
  })

  test('gives the one track that its playlist is for', async () => {
    const both = await fetchFrom('muxed', media, init)
    for (const track of both) {
      expect(await fetchFrom(track.rendition, media, init)).toEqual([track])
    }
    expect(kinds(both)).toEqual(['video', 'audio'])
  })

  test('of other tracks than its init segment’s is an error', async () => {
    const other = Buffer.from(media)
    for (let at = other.indexOf('tfhd'); at !== -1; at = other.indexOf('tfhd', at + 1)) {
      other.writeUInt32BE(9, at + 8)
    }
    await expect(fetchFrom('muxed', other, init)).rejects.toThrow('other tracks')
  })
})
