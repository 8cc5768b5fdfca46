import type { InitFacts } from '../timeline/fragment.ts'
import { toBytes } from './bits.ts'
import { FLAC_SAMPLES, silentFlac } from './silent-flac.ts'

/** Element types of a raw AAC frame. ISO/IEC 14496-3, table 4.71. */
const [SINGLE, PAIR, LOW] = ['000', '001', '011']
const END = '111'

/** Says which elements a frame has, by channelConfiguration. ISO/IEC 14496-3, table 1.19. */
const ELEMENTS: Readonly<Record<number, readonly string[]>> = {
  1: [SINGLE],
  2: [PAIR],
  3: [SINGLE, PAIR],
  4: [SINGLE, PAIR, SINGLE],
  5: [SINGLE, PAIR, PAIR],
  6: [SINGLE, PAIR, PAIR, LOW],
  8: [SINGLE, PAIR, PAIR, PAIR, LOW],
}

/** Matches AAC Main, LC, LTP, and LC with SBR or PS, because a frame of theirs may be one of LC. */
const CODECS = /^mp4a\.40\.(1|2|4|5|29)$/

/** How many samples a frame may have: LC's two lengths, and twice that where SBR doubles the rate. */
const FRAME_LENGTHS = [960, 1024, 1920, 2048]

/** The samples of an Opus frame of 20 ms, which counts 48,000 a second whatever it codes. RFC 6716, 2 and 3.1. */
const [OPUS_SAMPLES, OPUS_RATE] = [960, 48_000]
/** One such frame of CELT in mono and in stereo, which begins by saying that it is silent. RFC 6716, 4.3. */
const OPUS: Readonly<Record<number, Buffer>> = {
  1: Buffer.from('f8fffe', 'hex'),
  2: Buffer.from('fcfffe', 'hex'),
}

/**
 * Makes a frame without a sound; undefined where none is known: for AAC of another than the usual kind, and Opus of more
 * than two channels, which its encoder pairs as it likes.
 */
export function silentFrame({ codec, audio }: InitFacts): Buffer | undefined {
  const channels = audio?.channels ?? 0
  if (codec === 'Opus') return OPUS[channels]
  if (codec === 'fLaC') return channels > 0 && channels <= 8 ? silentFlac(channels) : undefined
  return CODECS.test(codec) ? silentAac(channels) : undefined
}

/** Makes a frame for any sample rate: all its channels have no spectral band at all. */
function silentAac(channels: number): Buffer | undefined {
  const elements = ELEMENTS[channels]
  if (elements === undefined) return undefined
  const instances = new Map<string, number>()
  const bits = elements.map((type) => {
    const instance = instances.get(type) ?? 0
    instances.set(type, instance + 1)
    return element(type, instance)
  })
  return toBytes([...bits, END].join(''))
}

function element(type: string, instance: number): string {
  const head = type + instance.toString(2).padStart(4, '0')
  // A pair says first that its channels have windows of their own.
  return type === PAIR ? `${head}0${channel()}${channel()}` : head + channel()
}

/**
 * Writes an individual_channel_stream: global_gain 0; ics_info of one long window and max_sfb 0, without prediction;
 * then neither pulses nor noise shaping nor gain control.
 */
function channel(): string {
  return '00000000' + '00000000000' + '000'
}

/** The exact length of a frame, as a fraction of the track's ticks. */
export interface FrameLength {
  readonly ticks: number
  readonly per: number
}

/**
 * Measures a frame.
 * @param seenTicks about how long a frame of the stream is: tells the possible lengths apart
 */
export function frameLength(
  { codec, timescale, audio }: InitFacts,
  seenTicks: number,
): FrameLength {
  if (codec === 'Opus') return { ticks: OPUS_SAMPLES * timescale, per: OPUS_RATE }
  // A sample entry cannot hold rates from 65,536 Hz.
  const rate = audio !== undefined && audio.sampleRate > 0 ? audio.sampleRate : timescale
  if (codec === 'fLaC') return { ticks: FLAC_SAMPLES * timescale, per: rate }
  const error = (samples: number): number => Math.abs((samples * timescale) / rate - seenTicks)
  const samples = FRAME_LENGTHS.reduce((best, length) =>
    error(length) < error(best) ? length : best,
  )
  return { ticks: samples * timescale, per: rate }
}
