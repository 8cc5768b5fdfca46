/** Says what we can write a track of: its decoder's configuration, and its samples. */

/** H.264: NAL units without start codes, in the order in which they are to be sent to a decoder. */
export interface AvcDescription {
  readonly codec: 'avc'
  readonly sequenceSets: readonly Buffer[]
  readonly pictureSets: readonly Buffer[]
}

export interface HevcDescription {
  readonly codec: 'hevc'
  readonly videoSets: readonly Buffer[]
  readonly sequenceSets: readonly Buffer[]
  readonly pictureSets: readonly Buffer[]
}

/** AAC as its decoder is configured. ISO/IEC 14496-3, 1.6.2.1. */
export interface AacDescription {
  readonly codec: 'aac'
  /** The object type; 2 is AAC-LC. */
  readonly objectType: number
  /** The index of the rate; below 13 it is one of the standard's sample rates. */
  readonly frequencyIndex: number
  /** The channelConfiguration, 1 … 7. */
  readonly channels: number
}

export type TrackDescription = AvcDescription | HevcDescription | AacDescription

/** One coded picture or audio frame. Times are in ticks of the track's timescale: see `timescaleOf`. */
export interface Sample {
  readonly dts: number
  readonly pts: number
  readonly duration: number
  /** Whether decoding may start here. */
  readonly key: boolean
  /** The data as MP4 stores them: NAL units after their lengths, or a raw AAC frame. */
  readonly data: Buffer
}

export interface Track {
  readonly description: TrackDescription
  readonly samples: readonly Sample[]
}

/** One track of a fragment as fragmented MP4 of its own. */
export interface TrackMedia {
  readonly initBytes: Buffer
  readonly bytes: Buffer
}

export function renditionOf({ codec }: TrackDescription): 'video' | 'audio' {
  return codec === 'aac' ? 'audio' : 'video'
}

/** The ticks a second of MPEG-TS, fine enough for any frame rate. */
export const VIDEO_TIMESCALE = 90_000

/** How many samples an AAC frame has, which are its ticks. ISO/IEC 14496-3, 4.5.1.1. */
export const AAC_FRAME_TICKS = 1024

/** Maps samplingFrequencyIndex to hertz. ISO/IEC 14496-3, table 1.18. */
const SAMPLE_RATES = [
  96_000, 88_200, 64_000, 48_000, 44_100, 32_000, 24_000, 22_050, 16_000, 12_000, 11_025, 8_000,
  7_350,
] as const

/**
 * Returns the sample rate.
 * @throws RangeError for an index of 13 and more, which stand for no rate
 */
export function sampleRateOf({ frequencyIndex }: AacDescription): number {
  const rate = SAMPLE_RATES[frequencyIndex]
  if (rate === undefined) throw new RangeError(`no sample rate has the index ${frequencyIndex}`)
  return rate
}

/** Returns the ticks a second of what we write: 90 kHz for video, the sample rate for audio. */
export function timescaleOf(description: TrackDescription): number {
  return description.codec === 'aac' ? sampleRateOf(description) : VIDEO_TIMESCALE
}
