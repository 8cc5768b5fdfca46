import { expect, test } from 'vitest'
import type { CameraConfigInput } from '../../src/emulator/config.ts'
import { findBox } from '../../src/emulator/mp4/box.ts'
import { get, links, NOON, openSession, playlistUrl, rig } from './support/client.ts'

const RATES = { 1: 90_000, 2: 48_000 } as const

interface Tfdt {
  readonly version: number
  readonly ticks: number
}

/** `tfdt` of what a session lists on a track, and the fragments' start times. */
async function tfdts(
  camera: CameraConfigInput,
  track: 1 | 2,
  selector: 'PRODUCER_TIMESTAMP' | 'SERVER_TIMESTAMP' = 'PRODUCER_TIMESTAMP',
): Promise<{ readonly tfdt: readonly Tfdt[]; readonly startsMs: readonly number[] }> {
  await using it = await rig({ config: { cameras: { cam: camera } } })
  const masterUrl = await openSession(it.emulator.url, {
    StreamName: 'cam',
    DisplayFragmentTimestamp: 'ALWAYS',
    HLSFragmentSelector: { FragmentSelectorType: selector },
  })
  it.clock.advance(4000)
  const { text } = await get(playlistUrl(masterUrl, track))
  const urls = links(text, masterUrl, 'getMP4MediaFragment')
  const bodies = await Promise.all(urls.map(async (url) => (await get(url)).bytes))
  const startsMs = [...text.matchAll(/TIME:(.*)/g)].map(([, time]) => Date.parse(time ?? ''))
  return { tfdt: bodies.map((bytes) => readTfdt(bytes)), startsMs }
}

function readTfdt(bytes: Buffer): Tfdt {
  const tfdt = findBox(bytes, 'moof', 'traf', 'tfdt')
  const version = tfdt.readUInt8()
  return { version, ticks: version === 1 ? Number(tfdt.readBigUInt64BE(4)) : tfdt.readUInt32BE(4) }
}

/** Sound starts with the first whole AAC frame, after the shift that reordered pictures need. */
const ONE_AAC_FRAME_MS = 1024 / 48

test('epoch: video decodes at its producer time, sound within a frame of it', async () => {
  const video = await tfdts({ clip: 'av-360p' }, 1)
  expect(video.tfdt.map(({ ticks }) => ticks / 90)).toEqual(video.startsMs)
  const audio = await tfdts({ clip: 'av-360p' }, 2)
  audio.tfdt.forEach(({ ticks }, i) => {
    const late = ticks / 48 - (audio.startsMs[i] ?? 0)
    expect(late).toBeGreaterThanOrEqual(0)
    expect(late).toBeLessThan(ONE_AAC_FRAME_MS)
  })
})

test.each([1, 2] as const)(
  'session: track %i counts from the session’s first fragment',
  async (track) => {
    const epoch = await tfdts({ clip: 'av-720p' }, track)
    const session = await tfdts({ clip: 'av-720p', tfdtBase: 'session' }, track)
    // The first of five two-second fragments that were complete and ingested at noon.
    const firstMs = NOON - 12_000
    const origin = (firstMs * RATES[track]) / 1000
    expect(session.tfdt.map(({ ticks }) => ticks + origin)).toEqual(
      epoch.tfdt.map(({ ticks }) => ticks),
    )
  },
)

test('fragment: each begins at zero, with the sound where it was against the picture', async () => {
  const base = { clip: 'av-720p', tfdtBase: 'fragment' } as const
  expect((await tfdts(base, 1)).tfdt.map(({ ticks }) => ticks)).toEqual([0, 0, 0, 0, 0])
  const epoch = await tfdts({ clip: 'av-720p' }, 2)
  const local = await tfdts(base, 2)
  expect(local.tfdt.map(({ ticks }) => ticks)).toEqual(
    epoch.tfdt.map(({ ticks }, i) => ticks - (epoch.startsMs[i] ?? 0) * 48),
  )
})

test('version 0 where 32 bits suffice, and never a wrapped time', async () => {
  const session = await tfdts({ tfdtBase: 'session', tfdtVersion: 0 }, 1)
  expect(session.tfdt.every(({ version }) => version === 0)).toBe(true)
  const epoch = await tfdts({ tfdtBase: 'epoch', tfdtVersion: 0 }, 1)
  expect(epoch.tfdt.every(({ version }) => version === 1)).toBe(true)
})

test('server clock: gaps and overlaps of some milliseconds, the same in list and media', async () => {
  const { tfdt, startsMs } = await tfdts({}, 1, 'SERVER_TIMESTAMP')
  expect(tfdt.map(({ ticks }) => ticks / 90)).toEqual(startsMs)
  const seams = startsMs.slice(1).map((ms, i) => ms - (startsMs[i] ?? 0) - 2000)
  expect(seams.some((seam) => seam !== 0)).toBe(true)
  expect(seams.every((seam) => Math.abs(seam) <= 40)).toBe(true)
})
