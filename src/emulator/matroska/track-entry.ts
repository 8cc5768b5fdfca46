import type { CameraConfig } from '../config.ts'
import type { ClipTrack } from '../media/clip.ts'
import { parameterSets } from '../mp4/codec-string.ts'
import { annexBSets } from '../mpegts/access-unit.ts'
import { readAacConfig, readAudioSpecificConfig } from '../mpegts/adts.ts'
import { element, float, master, text, unsigned } from './ebml.ts'

const TRACK_ENTRY = 0xae
const TRACK_NUMBER = 0xd7
const TRACK_UID = 0x73c5
const TRACK_TYPE = 0x83
const NAME = 0x536e
const CODEC_ID = 0x86
const CODEC_PRIVATE = 0x63a2
const VIDEO = 0xe0
const PIXEL_WIDTH = 0xb0
const PIXEL_HEIGHT = 0xba
const AUDIO = 0xe1
const SAMPLING_FREQUENCY = 0xb5
const CHANNELS = 0x9f

/** What a producer that calls something codec private data sends when it is none. */
const NONSENSE = Buffer.from('deadbeef', 'hex')
/** AAC-LC, 48 kHz, mono. ISO/IEC 14496-3, section 1.6.2.1. */
const AAC_48K_MONO = Buffer.from('1188', 'hex')
export const TELEPHONE_RATE = 8000
/** Format tags of WAVEFORMATEX. */
const WAVE_TAGS = { 'a-law': 6, 'mu-law': 7 } as const

/** Declares a track as the camera's producer does. KVS.md, section 6.5. */
export function trackEntry(number: number, track: ClipTrack, config: CameraConfig): Buffer {
  return track.kind === 'video' ? pictures(number, track, config) : sound(number, track, config)
}

/** Declares sound that no frame will come of. */
export function silentEntry(number: number): Buffer {
  return entry(number, 2, 'A_AAC', AAC_48K_MONO, soundFormat(48_000, 1))
}

function pictures(number: number, track: ClipTrack, config: CameraConfig): Buffer {
  const { width = 0, height = 0 } = track.size ?? {}
  const size = master(VIDEO, [unsigned(PIXEL_WIDTH, width, 2), unsigned(PIXEL_HEIGHT, height, 2)])
  if (!config.mediaSupported) return entry(number, 1, 'V_VP8', undefined, size)
  const { type } = track.entry
  const codecId = type === 'hvc1' ? 'V_MPEGH/ISO/HEVC' : 'V_MPEG4/ISO/AVC'
  return entry(number, 1, codecId, picturePrivate(track, config), size)
}

function picturePrivate(
  { entry: { type, body } }: ClipTrack,
  { codecPrivateData }: CameraConfig,
): Buffer | undefined {
  switch (codecPrivateData) {
    case 'present':
    case 'sound-missing':
      return parameterSets(body, type === 'hvc1' ? 'hvcC' : 'avcC')
    case 'missing':
      return undefined
    case 'invalid':
      return NONSENSE
    case 'annex-b':
      return annexBSets({ type, body })
  }
}

function sound(
  number: number,
  { entry: { body }, timescale }: ClipTrack,
  { soundCodec, codecPrivateData }: CameraConfig,
): Buffer {
  const telephone = soundFormat(TELEPHONE_RATE, 1)
  switch (soundCodec) {
    case 'aac': {
      const isMissing =
        codecPrivateData === 'sound-missing' || (number === 1 && codecPrivateData === 'missing')
      const config = isMissing ? undefined : readAudioSpecificConfig(body)
      return entry(number, 2, 'A_AAC', config, soundFormat(timescale, readAacConfig(body).channels))
    }
    case 'a-law':
    case 'mu-law':
      return entry(number, 2, 'A_MS/ACM', waveFormat(WAVE_TAGS[soundCodec]), telephone)
    case 'pcm':
      return entry(number, 2, 'A_PCM/INT/LIT', undefined, telephone)
  }
}

function soundFormat(rate: number, channels: number): Buffer {
  return master(AUDIO, [float(SAMPLING_FREQUENCY, rate), unsigned(CHANNELS, channels)])
}

/** Writes a WAVEFORMATEX of one channel, eight bits and 8 kHz. */
function waveFormat(tag: number): Buffer {
  const format = Buffer.alloc(18)
  format.writeUInt16LE(tag, 0)
  format.writeUInt16LE(1, 2)
  format.writeUInt32LE(TELEPHONE_RATE, 4)
  format.writeUInt32LE(TELEPHONE_RATE, 8)
  format.writeUInt16LE(1, 12)
  format.writeUInt16LE(8, 14)
  return format
}

function entry(
  number: number,
  type: 1 | 2,
  codecId: string,
  codecPrivate: Buffer | undefined,
  format: Buffer,
): Buffer {
  return master(TRACK_ENTRY, [
    unsigned(TRACK_NUMBER, number),
    unsigned(TRACK_UID, number),
    unsigned(TRACK_TYPE, type),
    text(NAME, type === 1 ? 'kinesis_video' : 'kinesis_audio'),
    text(CODEC_ID, codecId),
    ...(codecPrivate === undefined ? [] : [element(CODEC_PRIVATE, codecPrivate)]),
    format,
  ])
}
