import {
  type GetHLSStreamingSessionURLInput,
  ListFragmentsCommand,
} from '@aws-sdk/client-kinesis-video-archived-media'
import { expect, test } from 'vitest'
import type { CameraConfigInput } from '../../src/emulator/config.ts'
import {
  get,
  links,
  mediaClient,
  NOON,
  numbers,
  openSession,
  playlistUrl,
  type Rig,
  rig,
} from './support/client.ts'

const HOUR = 3_600_000
const DAY = 24 * HOUR

const withCamera = (camera: CameraConfigInput): Promise<Rig> =>
  rig({ config: { cameras: { cam: { clip: 'av-360p', ...camera } } } })

function past(startMs: number, endMs: number, more: object = {}): GetHLSStreamingSessionURLInput {
  return {
    StreamName: 'cam',
    PlaybackMode: 'ON_DEMAND',
    DisplayFragmentTimestamp: 'ALWAYS',
    HLSFragmentSelector: {
      FragmentSelectorType: 'PRODUCER_TIMESTAMP',
      TimestampRange: { StartTimestamp: new Date(startMs), EndTimestamp: new Date(endMs) },
    },
    ...more,
  }
}

interface Listed {
  readonly text: string
  readonly masterUrl: string
  readonly starts: readonly number[]
}

async function list(it: Rig, input: GetHLSStreamingSessionURLInput): Promise<Listed> {
  const masterUrl = await openSession(it.emulator.url, input)
  const { text } = await get(playlistUrl(masterUrl))
  const starts = [...text.matchAll(/DATE-TIME:(.*)/g)].map(([, time]) => Date.parse(time ?? ''))
  return { text, masterUrl, starts }
}

/** Producer times of a first page of ListFragments, in order of FragmentNumbers. */
async function stored(it: Rig, startMs: number, endMs: number): Promise<readonly number[]> {
  const page = await mediaClient(it.emulator.url).send(
    new ListFragmentsCommand({
      StreamName: 'cam',
      MaxResults: 1000,
      FragmentSelector: {
        FragmentSelectorType: 'PRODUCER_TIMESTAMP',
        TimestampRange: { StartTimestamp: new Date(startMs), EndTimestamp: new Date(endMs) },
      },
    }),
  )
  return (page.Fragments ?? [])
    .toSorted((a, b) => ((a.FragmentNumber ?? '') < (b.FragmentNumber ?? '') ? -1 : 1))
    .map(({ ProducerTimestamp }) => ProducerTimestamp?.getTime() ?? 0)
}

test('the end of a range is compared with starts, and belongs to it', async () => {
  await using it = await withCamera({})
  const { starts } = await list(it, past(NOON - 5000, NOON - 3000))
  expect(starts).toEqual([NOON - 5000, NOON - 4000, NOON - 3000])
  const inside = await list(it, past(NOON - 5999, NOON - 3001))
  expect(inside.starts).toEqual([NOON - 5000, NOON - 4000])
})

test('more than 24 hours, or an end that is not after the start, are invalid arguments', async () => {
  await using it = await withCamera({ retentionHours: 72 })
  await expect(list(it, past(NOON - DAY - 1001, NOON - 1000))).rejects.toMatchObject({
    name: 'InvalidArgumentException',
    message: 'EndTimestamp must be within 24 hours of StartTimestamp.',
  })
  await expect(list(it, past(NOON - 1000, NOON - 1000))).rejects.toMatchObject({
    name: 'InvalidArgumentException',
  })
  const day = await list(it, past(NOON - DAY - 1000, NOON - 1000))
  expect(day.starts).toHaveLength(1000)
})

test('a day at the most of 5,000 fragments: the oldest, in one list', async () => {
  await using it = await withCamera({ retentionHours: 72 })
  const more = { MaxMediaPlaylistFragmentResults: 5000 }
  const { starts, text } = await list(it, past(NOON - DAY, NOON - 1000, more))
  expect(starts).toEqual(Array.from({ length: 5000 }, (_, i) => NOON - DAY + 1000 * i))
  expect(text.endsWith('#EXT-X-ENDLIST\n')).toBe(true)
})

test('what a list holds may be gone when it is asked for: retention goes on', async () => {
  await using it = await withCamera({ retentionHours: 1 })
  const { text, masterUrl, starts } = await list(it, past(NOON - HOUR, NOON - HOUR + 3000))
  expect(starts).toHaveLength(4)
  const urls = links(text, masterUrl, 'getMP4MediaFragment')
  const statuses = async (): Promise<readonly number[]> =>
    Promise.all(urls.map(async (url) => (await get(url)).status))
  expect(await statuses()).toEqual([200, 200, 200, 200])
  it.clock.advance(1500)
  expect(await statuses()).toEqual([404, 404, 200, 200])
  // The list is the session's own and stays; a new session no longer has them.
  expect(numbers((await get(playlistUrl(masterUrl))).text)).toHaveLength(4)
  const again = await list(it, past(NOON - HOUR, NOON - HOUR + 3000))
  expect(again.starts).toEqual(starts.slice(2))
  expect(await stored(it, NOON - HOUR, NOON - HOUR + 3000)).toEqual(starts.slice(2))
})

test('late fragments come into the archive and ListFragments, in their place', async () => {
  const late = { type: 'late', ms: 20_000, count: 2 } as const
  await using it = await withCamera({ events: [{ atMs: NOON - 10_000, event: late }] })
  it.clock.advance(5000)
  const range = [NOON - 12_000, NOON - 6000] as const
  const early = [-12_000, -11_000, -8000, -7000, -6000].map((ms) => NOON + ms)
  expect((await list(it, past(...range))).starts).toEqual(early)
  expect(await stored(it, ...range)).toEqual(early)

  it.clock.advance(10_000)
  const all = Array.from({ length: 7 }, (_, i) => NOON - 12_000 + 1000 * i)
  const { starts, text } = await list(it, past(...range))
  expect(starts).toEqual(all)
  expect(numbers(text)).toEqual(numbers(text).toSorted())
  expect(await stored(it, ...range)).toEqual(all)
})

test('ListFragments looks only where something is, whatever the range', async () => {
  await using it = await withCamera({ events: [{ event: { type: 'drift', ppm: 100 } }] })
  const from = await stored(it, 0, Date.UTC(9999, 0))
  expect(from).toHaveLength(1000)
  it.clock.advance(1000)
  // A year of drift, and the first that is still retained.
  expect(Math.abs((from[0] ?? 0) - (NOON - DAY))).toBeLessThan(HOUR)
  expect(await stored(it, Date.UTC(2030, 0), Date.UTC(9999, 0))).toEqual([])
})

test('LIVE_REPLAY of what is not retained any more begins with what is', async () => {
  await using it = await withCamera({ retentionHours: 1 })
  const { starts } = await list(
    it,
    past(NOON - 2 * HOUR, NOON, {
      PlaybackMode: 'LIVE_REPLAY',
      MaxMediaPlaylistFragmentResults: 1,
    }),
  )
  expect(starts).toEqual([NOON - HOUR])
})

test.each(['LIVE', 'LIVE_REPLAY', 'ON_DEMAND'] as const)('MPEG_TS in %s', async (PlaybackMode) => {
  await using it = await withCamera({})
  const range = past(NOON - 10_000, NOON - 5000, { PlaybackMode, ContainerFormat: 'MPEG_TS' })
  const input = PlaybackMode === 'LIVE' ? { ...range, HLSFragmentSelector: undefined } : range
  const { text, masterUrl } = await list(it, input)
  expect(text).not.toContain('EXT-X-MAP')
  const [url = ''] = links(text, masterUrl, 'getTSFragment')
  const { status, bytes } = await get(url)
  expect([status, bytes[0], bytes[188]]).toEqual([200, 0x47, 0x47])
})

test('a list costs as many metadata points as it may hold, whatever it holds', async () => {
  await using it = await withCamera({})
  const more = { MaxMediaPlaylistFragmentResults: 4000 }
  const { masterUrl } = await list(it, past(NOON - 10_000, NOON - 5000, more))
  expect((await get(playlistUrl(masterUrl))).status).toBe(200)
  expect((await get(playlistUrl(masterUrl))).status).toBe(400)
  it.clock.advance(1000)
  expect((await get(playlistUrl(masterUrl))).status).toBe(200)
  const { maxPerSecond = {} } = it.emulator.control.counters().cameras['cam'] ?? {}
  expect(maxPerSecond['metadataPoints']).toBe(12_000)
})
