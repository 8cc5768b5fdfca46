import { expect, test } from 'vitest'
import type { CameraConfigInput } from '../../src/emulator/config.ts'
import { CLIP_NAMES, loadClip } from '../../src/emulator/media/clip.ts'
import { get, links, NOON, openSession, playlistUrl, rig } from './support/client.ts'
import { decode, jumps, probe } from './support/ffmpeg.ts'

async function fetchTrack(
  config: CameraConfigInput,
  track: number,
  container: 'FRAGMENTED_MP4' | 'MPEG_TS' = 'FRAGMENTED_MP4',
  loops = loopsToSeam(config.clip),
): Promise<Buffer> {
  const cameras = { cam: { ...config, quotas: { enforced: false } } }
  await using it = await rig({ config: { cameras } })
  const masterUrl = await openSession(it.emulator.url, {
    StreamName: 'cam',
    PlaybackMode: 'ON_DEMAND',
    ContainerFormat: container,
    HLSFragmentSelector: {
      FragmentSelectorType: 'PRODUCER_TIMESTAMP',
      TimestampRange: {
        StartTimestamp: new Date(NOON - loops * loadClip(config.clip ?? 'av-720p').loopMs),
        EndTimestamp: new Date(NOON - 2000),
      },
    },
  })
  const { text } = await get(playlistUrl(masterUrl, track))
  const parts: Buffer[] = []
  for (const url of links(text, masterUrl, 'get(?:MP4|TS)')) parts.push((await get(url)).bytes)
  return Buffer.concat(parts)
}

/** A loop and a bit: the seam is crossed. Of a loop that is one fragment, two are complete in more than three. */
function loopsToSeam(clip: CameraConfigInput['clip'] = 'av-720p'): number {
  return loadClip(clip).startsMs.length === 1 ? 3.5 : 1.5
}

const tracks = CLIP_NAMES.flatMap((clip) => {
  const { video, audio } = loadClip(clip)
  return [...(video.length > 0 ? ['video'] : []), ...(audio === undefined ? [] : ['audio'])].map(
    (kind, i) => ({ clip, kind, track: i + 1 }),
  )
})

test.concurrent.each(tracks)(
  '$clip: $kind decodes over the loop’s seam',
  async ({ clip, track }) => {
    const bytes = await fetchTrack({ clip }, track)
    const packets = await probe(bytes)

    expect(await decode(bytes)).toBe('')
    expect(jumps(packets)).toEqual([])
    const { frameRate, loopMs } = loadClip(clip)
    expect(packets.length).toBeGreaterThan((0.8 * loopMs * frameRate) / 1000)
  },
)

test.concurrent.each(CLIP_NAMES)('%s: its TS decodes over the loop’s seam', async (clip) => {
  const bytes = await fetchTrack({ clip }, 1, 'MPEG_TS')
  const packets = await probe(bytes)

  expect(await decode(bytes)).toBe('')
  for (const its of Map.groupBy(packets, ({ stream }) => stream).values()) {
    expect(its.every(({ pts, dts }) => pts >= dts)).toBe(true)
    // 90 kHz holds a third of a 48 kHz frame only roughly.
    expect(jumps(its).every((jump) => Math.abs(jump) <= 1)).toBe(true)
  }
})

test.concurrent('continuity counters run on from segment to segment', async () => {
  const giant = { type: 'giant', bytes: 200_000 } as const
  const events = [{ atMs: NOON - 20_000, event: giant }]
  const bytes = await fetchTrack({ clip: 'av-360p', events }, 1, 'MPEG_TS')
  const counters = new Map<number, number>()
  for (let at = 0; at < bytes.length; at += 188) {
    expect(bytes[at]).toBe(0x47)
    const pid = bytes.readUInt16BE(at + 1) & 0x1fff
    const counter = bytes.readUInt8(at + 3) & 0xf
    const last = counters.get(pid)
    if (last !== undefined) expect(counter).toBe((last + 1) % 16)
    counters.set(pid, counter)
  }
  expect([...counters.keys()].toSorted((a, b) => a - b)).toEqual([0, 0x100, 0x101, 0x1000])
})

test.concurrent('B-frames are shown in another order than decoded in one clip, and in step with the sound', async () => {
  const [video, audio] = await Promise.all([
    fetchTrack({ clip: 'av-720p' }, 1).then(probe),
    fetchTrack({ clip: 'av-720p' }, 2).then(probe),
  ])
  expect(video.some(({ pts, dts }) => pts > dts)).toBe(true)
  const shownMs = (video[0]?.pts ?? 0) / 90
  const heardMs = (audio[0]?.pts ?? 0) / 48
  expect(Math.abs(shownMs - heardMs)).toBeLessThan(22)
})

test.concurrent.each([
  ['av-360p-irregular', [4000, 1200, 3700, 3100]],
  ['av-180p-long', [1000, 20_000, 3000, 7000, 16_000]],
] as const)('%s: each fragment begins with a key frame', async (clip, expected) => {
  const packets = await probe(await fetchTrack({ clip }, 1, 'FRAGMENTED_MP4', 2.5))
  const keys = packets.filter(({ key }) => key)
  const lengths = keys.slice(1).map((key, i) => (key.dts - (keys[i]?.dts ?? 0)) / 90)
  expect(new Set(lengths)).toEqual(new Set(expected))
})

test.concurrent('several moofs, styp and sidx change the spelling, not the media', async () => {
  const plain = await probe(await fetchTrack({ clip: 'av-360p' }, 1))
  const layouts = { moofs: 3, styp: true, sidx: true, mfhd: 'one' } as const
  const bytes = await fetchTrack({ clip: 'av-360p', ...layouts }, 1)

  expect(bytes.includes('styp')).toBe(true)
  expect(bytes.includes('sidx')).toBe(true)
  const strip = (packet: (typeof plain)[number]): unknown => ({ ...packet, stream: undefined })
  expect((await probe(bytes)).map(strip)).toEqual(plain.map(strip))
  expect(await decode(bytes)).toBe('')
})
