import { u16 } from './boxes/fields.ts'
import type { AacDescription } from './track.ts'

/** AudioSpecificConfig, as far as we read it. ISO/IEC 14496-3, 1.6.2.1. */
export type AudioSpecificConfig = Pick<AacDescription, 'objectType' | 'frequencyIndex' | 'channels'>

/** The configuration's fields as they stand there; undefined when it is cut off. */
export function readAudioSpecificConfig(config: Uint8Array): AudioSpecificConfig | undefined {
  const bits = [...config.subarray(0, 8)].map((byte) => byte.toString(2).padStart(8, '0')).join('')
  const take = (at: number, length: number): number =>
    Number.parseInt(bits.slice(at, at + length), 2)
  // An object type of 31 and a frequency index of 15 are escapes that more bits follow.
  const isEscaped = take(0, 5) === 31
  const frequencyAt = isEscaped ? 11 : 5
  const frequencyIndex = take(frequencyAt, 4)
  const channelsAt = frequencyAt + (frequencyIndex === 15 ? 28 : 4)
  if (bits.length < channelsAt + 4) return undefined
  const objectType = isEscaped ? 32 + take(5, 6) : take(0, 5)
  return { objectType, frequencyIndex, channels: take(channelsAt, 4) }
}

export function writeAudioSpecificConfig(config: AudioSpecificConfig): Buffer {
  const { objectType, frequencyIndex, channels } = config
  return u16((objectType << 11) | (frequencyIndex << 7) | (channels << 3))
}

/** ISO/IEC 14496-3, table 1.19: channels by channelConfiguration. 0 says "see elsewhere". */
const CHANNELS = [undefined, 1, 2, 3, 4, 5, 6, 8]
/** The object type of HE-AAC v2, whose one channel becomes two when it is decoded. ISO/IEC 14496-3, 1.6.6. */
const PARAMETRIC_STEREO = 29

/**
 * How many channels an AudioSpecificConfig announces; undefined when it does not say. The sample entry's
 * own count cannot be trusted, because muxers write the 2 of the MP4 template there for mono as well.
 */
export function channelsOf(config: Uint8Array): number | undefined {
  const { channels = 0, objectType } = readAudioSpecificConfig(config) ?? {}
  return objectType === PARAMETRIC_STEREO && channels === 1 ? 2 : CHANNELS[channels]
}
