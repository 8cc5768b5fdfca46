import { GetDataEndpointCommand, KinesisVideoClient } from '@aws-sdk/client-kinesis-video'
import {
  GetHLSStreamingSessionURLCommand,
  type GetHLSStreamingSessionURLInput,
  KinesisVideoArchivedMediaClient,
} from '@aws-sdk/client-kinesis-video-archived-media'
import {
  type Emulator,
  type EmulatorOptions,
  startEmulator,
} from '../../../src/emulator/emulator.ts'
import { ManualClock } from '../../support/manual-clock.ts'

const AWS = {
  region: 'us-west-2',
  credentials: { accessKeyId: 'AKIDEXAMPLE', secretAccessKey: 'secret' },
}

/** Noon of a day on which all cameras have a day of archive. */
export const NOON = Date.UTC(2026, 0, 2, 12)

export interface Rig extends AsyncDisposable {
  readonly emulator: Emulator
  readonly clock: ManualClock
}

/** An emulator whose time stands still. Chance is the same in each run. */
export async function rig(options: Omit<EmulatorOptions, 'clock'> = {}): Promise<Rig> {
  const clock = new ManualClock(NOON)
  const emulator = await startEmulator({ random: countingRandom(), ...options, clock })
  return { emulator, clock, [Symbol.asyncDispose]: () => emulator.close() }
}

function countingRandom(): () => number {
  let seed = 1
  return () => {
    seed = (seed * 48_271) % 2_147_483_647
    return seed / 2_147_483_647
  }
}

export function controlClient(url: string): KinesisVideoClient {
  return new KinesisVideoClient({ ...AWS, endpoint: url, maxAttempts: 1 })
}

export function mediaClient(url: string): KinesisVideoArchivedMediaClient {
  return new KinesisVideoArchivedMediaClient({ ...AWS, endpoint: url, maxAttempts: 1 })
}

/** The whole chain with the SDK: endpoint, then session. Returns the master playlist's URL. */
export async function openSession(
  url: string,
  input: GetHLSStreamingSessionURLInput,
): Promise<string> {
  const { DataEndpoint } = await controlClient(url).send(
    new GetDataEndpointCommand({
      APIName: 'GET_HLS_STREAMING_SESSION_URL',
      StreamName: input.StreamName,
      StreamARN: input.StreamARN,
    }),
  )
  const { HLSStreamingSessionURL } = await mediaClient(DataEndpoint ?? '').send(
    new GetHLSStreamingSessionURLCommand(input),
  )
  return HLSStreamingSessionURL ?? ''
}

export interface Fetched {
  readonly status: number
  readonly headers: Headers
  readonly bytes: Buffer
  readonly text: string
}

export async function get(url: string): Promise<Fetched> {
  const response = await fetch(url)
  const bytes = Buffer.from(await response.arrayBuffer())
  return { status: response.status, headers: response.headers, bytes, text: bytes.toString() }
}

/** The media playlist of a track, by the shortcut that clients in the field use. */
export function playlistUrl(masterUrl: string, track = 1): string {
  return `${masterUrl.replace('getHLSMasterPlaylist', 'getHLSMediaPlaylist')}&TrackNumber=${track}`
}

/** Absolute URLs of all lines and attributes that name `file`. */
export function links(text: string, baseUrl: string, file: string): readonly string[] {
  const found = text.match(new RegExp(`${file}[^"\n]+`, 'g')) ?? []
  return found.map((link) => new URL(link, baseUrl).href)
}

/** FragmentNumbers of a media playlist. */
export function numbers(text: string): readonly string[] {
  return [...text.matchAll(/FragmentNumber=(\d+)/g)].map(([, number]) => number ?? '')
}
