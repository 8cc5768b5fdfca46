import { expect, test } from 'vitest'
import type { CameraConfigInput } from '../../src/emulator/config.ts'
import { get, links, NOON, openSession, playlistUrl, rig } from './support/client.ts'
import { decode, probe } from './support/ffmpeg.ts'

const RANGE = { StartTimestamp: new Date(NOON - 20_000), EndTimestamp: new Date(NOON - 9000) }

/** Eleven seconds of which the third to the fifth hold giants, if any: bytes and sizes of fragments. */
async function record(
  clip: CameraConfigInput['clip'],
  container: 'FRAGMENTED_MP4' | 'MPEG_TS',
  bytes?: number,
  count = 2,
): Promise<{ readonly sizes: readonly number[]; readonly all: Buffer }> {
  const giants = { type: 'giant', count, bytes } as const
  const events = bytes === undefined ? [] : [{ atMs: NOON - 17_000, event: giants }]
  await using it = await rig({ config: { cameras: { cam: { clip, events } } } })
  const masterUrl = await openSession(it.emulator.url, {
    StreamName: 'cam',
    PlaybackMode: 'ON_DEMAND',
    ContainerFormat: container,
    HLSFragmentSelector: { FragmentSelectorType: 'PRODUCER_TIMESTAMP', TimestampRange: RANGE },
  })
  const { text } = await get(playlistUrl(masterUrl))
  const parts: Buffer[] = []
  for (const url of links(text, masterUrl, 'get(?:MP4|TS)')) parts.push((await get(url)).bytes)
  const media = container === 'MPEG_TS' ? parts : parts.slice(1)
  return { sizes: media.map(({ length }) => length), all: Buffer.concat(parts) }
}

test.concurrent.each([
  ['av-360p', 'FRAGMENTED_MP4'],
  ['av-360p', 'MPEG_TS'],
  ['av-720p', 'MPEG_TS'],
  ['hevc', 'FRAGMENTED_MP4'],
  ['hevc', 'MPEG_TS'],
] as const)(
  '%s in %s: giants hold the same pictures and sounds, and more bytes',
  async (clip, container) => {
    const plain = await record(clip, container)
    const padded = await record(clip, container, 1_000_000)

    expect(padded.sizes.filter((size) => size > 900_000)).toHaveLength(2)
    expect(padded.sizes.filter((size, i) => size !== plain.sizes[i])).toHaveLength(2)
    expect(await decode(padded.all)).toBe('')
    const times = async (bytes: Buffer): Promise<unknown> =>
      (await probe(bytes)).map(({ stream, pts, dts, key }) => [stream.type, pts, dts, key])
    expect(await times(padded.all)).toEqual(await times(plain.all))
  },
)

test('sound alone stays as small as it is', async () => {
  const { all } = await record('audio-only', 'FRAGMENTED_MP4', 1_000_000)
  expect(all).toEqual((await record('audio-only', 'FRAGMENTED_MP4')).all)
})

test.each(['FRAGMENTED_MP4', 'MPEG_TS'] as const)(
  'KVS’s largest fragment, 50 MB in %s, decodes',
  async (container) => {
    const { sizes, all } = await record('av-360p', container, 50_000_000, 1)
    expect(Math.max(...sizes)).toBeGreaterThan(49_900_000)
    expect(await decode(all)).toBe('')
  },
)
