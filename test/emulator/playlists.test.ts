import type { GetHLSStreamingSessionURLInput } from '@aws-sdk/client-kinesis-video-archived-media'
import { expect, test } from 'vitest'
import type { CameraConfigInput } from '../../src/emulator/config.ts'
import { get, NOON, openSession, playlistUrl, rig } from './support/client.ts'

interface Case {
  readonly name: string
  readonly camera?: CameraConfigInput
  readonly ask?: Omit<GetHLSStreamingSessionURLInput, 'StreamName'>
  readonly track?: number
  /** Played before the playlist is read. */
  readonly afterMs?: number
}

const PAST = {
  StartTimestamp: new Date(NOON - 3_600_000),
  EndTimestamp: new Date(NOON - 3_600_000 + 5000),
}
const PRODUCER = { FragmentSelectorType: 'PRODUCER_TIMESTAMP' } as const

/** The forms of real playlists, by where they were seen. Token and numbers are left out of the comparison. */
const media: readonly Case[] = [
  { name: 'live-defaults', ask: { MaxMediaPlaylistFragmentResults: 2 } },
  {
    name: 'live-timestamps-always',
    ask: {
      HLSFragmentSelector: PRODUCER,
      DiscontinuityMode: 'ALWAYS',
      DisplayFragmentTimestamp: 'ALWAYS',
      MaxMediaPlaylistFragmentResults: 3,
    },
  },
  {
    name: 'live-irregular-after-a-minute',
    camera: { clip: 'av-360p-irregular', mapSequenceNumber: false },
    ask: {
      HLSFragmentSelector: PRODUCER,
      DiscontinuityMode: 'ON_DISCONTINUITY',
      DisplayFragmentTimestamp: 'ALWAYS',
      MaxMediaPlaylistFragmentResults: 3,
    },
    afterMs: 60_000,
  },
  {
    name: 'live-server-clock',
    ask: { DisplayFragmentTimestamp: 'ALWAYS', DiscontinuityMode: 'ON_DISCONTINUITY' },
    track: 2,
  },
  {
    name: 'on-demand',
    camera: { mediaSequenceStart: 1, mapSequenceNumber: false },
    ask: {
      PlaybackMode: 'ON_DEMAND',
      HLSFragmentSelector: { ...PRODUCER, TimestampRange: PAST },
      DisplayFragmentTimestamp: 'ALWAYS',
    },
  },
  {
    name: 'live-replay-ended',
    ask: {
      PlaybackMode: 'LIVE_REPLAY',
      HLSFragmentSelector: { ...PRODUCER, TimestampRange: PAST },
    },
    afterMs: 60_000,
  },
  {
    name: 'codec-private-data-change',
    camera: {
      events: [{ atMs: NOON - 2000, event: { type: 'codec-private-data' } }],
      discontinuitySequence: true,
    },
    ask: {
      HLSFragmentSelector: PRODUCER,
      DiscontinuityMode: 'ON_DISCONTINUITY',
      MaxMediaPlaylistFragmentResults: 3,
    },
    afterMs: 1000,
  },
  { name: 'transport-stream', ask: { ContainerFormat: 'MPEG_TS', DiscontinuityMode: 'NEVER' } },
  {
    name: 'index-uris-plain-numbers',
    camera: { fragmentUri: 'index', numberFormat: 'plain' },
    ask: { DiscontinuityMode: 'NEVER' },
    afterMs: 4000,
  },
]

const masters: readonly Case[] = [
  { name: 'master-audio-video' },
  { name: 'master-video-only', camera: { clip: 'video-only' } },
  { name: 'master-audio-only', camera: { clip: 'audio-only' } },
  { name: 'master-hevc', camera: { clip: 'hevc' } },
  { name: 'master-transport-stream', ask: { ContainerFormat: 'MPEG_TS' } },
]

async function read(
  { camera = {}, ask = {}, afterMs = 0 }: Case,
  url: (masterUrl: string) => string,
): Promise<string> {
  await using it = await rig({ config: { cameras: { cam: camera } } })
  const masterUrl = await openSession(it.emulator.url, { StreamName: 'cam', ...ask })
  it.clock.advance(afterMs)
  const { text } = await get(url(masterUrl))
  return text
    .replaceAll(/SessionToken=[\w~-]{152}/g, 'SessionToken=<t>')
    .replaceAll(/FragmentNumber=\d{47}/g, 'FragmentNumber=<n>')
}

test.each(media)('media playlist: $name', async (it) => {
  const text = await read(it, (masterUrl) => playlistUrl(masterUrl, it.track))
  await expect(text).toMatchFileSnapshot(`golden/${it.name}.m3u8`)
})

test.each(masters)('master playlist: $name', async (it) => {
  const text = await read(it, (masterUrl) => masterUrl)
  await expect(text).toMatchFileSnapshot(`golden/${it.name}.m3u8`)
})
