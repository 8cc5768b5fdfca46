import { createHash } from 'node:crypto'
import { channelsOf } from './audio-specific-config.ts'
import { readBoxes, theOnly } from './boxes/box.ts'
import { decoderSpecificInfo } from './boxes/esds.ts'
import { readSampleEntry } from './boxes/sample-entry.ts'
import { dolbyChannels, soundConfigurationOf } from './boxes/sound-entry.ts'
import { readSourceTimescale } from './boxes/source-timescale.ts'
import { findSampleEntry } from './boxes/stsd.ts'
import type { SampleDefaults } from './boxes/tfhd.ts'
import { checkInitStructure, TAKEN } from './init-structure.ts'
import { unsupported } from './mp4-error.ts'
import { type ISOFile, readWithMp4box } from './mp4box.ts'
import { pruneInit } from './prune.ts'
import { soundCodecOf } from './sound-codec.ts'
import { type VideoRange, videoRangeOf } from './video-range.ts'

/** Says what an init segment (ftyp + moov, one track) says. ISO/IEC 14496-12, 8.3 and 8.5. */
export interface InitFacts {
  /** Names the content: equal for equal bytes, different otherwise; safe in a URI. */
  readonly id: string
  readonly rendition: 'video' | 'audio'
  /** The RFC 6381 codec string, for example `avc1.4d4029`. `avc3` and `hev1` keep parameter sets in band. */
  readonly codec: string
  /** How many ticks a second has (mdhd). */
  readonly timescale: number
  /** The track's id (tkhd), which every tfhd of its fragments repeats. */
  readonly trackId: number
  readonly video?: { readonly width: number; readonly height: number }
  /** The dynamic range of the pictures; absent for the standard one. */
  readonly videoRange?: VideoRange
  readonly audio?: { readonly channels: number; readonly sampleRate: number }
  /**
   * How many ticks a second the fragments have as they come, where those are too fine to count from 1970 in them. See
   * `own-init.ts`.
   */
  readonly sourceTimescale?: number
  /** The values that fragments may leave out (trex); absent where every default is 0. */
  readonly sampleDefaults?: SampleDefaults
}

const VIDEO_CODEC = /^(avc[13]\.[0-9a-f]{6}|(hvc1|hev1)\.[A-C]?\d+\.[0-9A-F]+\.[LH]\d+[.0-9A-F]*)$/i

/**
 * Reads an init segment of one track.
 * @throws Mp4Error `unsupported` for any other codec or shape, `malformed` for damaged bytes
 */
export function readInit(bytes: Buffer): InitFacts {
  checkInitStructure(bytes)
  const id = createHash('sha256').update(bytes).digest('hex').slice(0, 12)
  const moov = theOnly(readBoxes(bytes), 'moov', 'an init segment')
  const sourceTimescale = readSourceTimescale(bytes, moov)
  const track = readWithMp4box(pruneInit(bytes), (file) => readTrack(file, bytes))
  const videoRange = track.rendition === 'video' ? videoRangeOf(bytes) : undefined
  return {
    id,
    ...track,
    ...(videoRange === undefined ? {} : { videoRange }),
    ...(sourceTimescale === undefined ? {} : { sourceTimescale }),
  }
}

type Track = ReturnType<ISOFile['getInfo']>['tracks'][number]

function readTrack(file: ISOFile, bytes: Buffer): Omit<InitFacts, 'id'> {
  const [track] = file.getInfo().tracks
  if (track === undefined) throw unsupported('no track')
  if (!(track.timescale > 0)) throw unsupported('a timescale of 0')
  const defaults = readDefaults(file, track.id)
  return {
    ...readKind(track, file, bytes),
    codec: soundCodecOf(track.codec) ?? track.codec,
    timescale: track.timescale,
    trackId: track.id,
    ...(defaults === undefined ? {} : { sampleDefaults: defaults }),
  }
}

type Kind = Pick<InitFacts, 'rendition' | 'video' | 'audio'>

function readKind({ codec, video, audio }: Track, file: ISOFile, bytes: Buffer): Kind {
  if (video !== undefined && VIDEO_CODEC.test(codec)) return readVideo(video)
  if (audio !== undefined && soundCodecOf(codec) !== undefined) return readAudio(audio, file, bytes)
  const name = codec.replace(/[^\x20-\x7e]/g, '?').slice(0, 40)
  throw unsupported(`codec ${name}: expected ${TAKEN}`)
}

function readVideo({ width, height }: NonNullable<Track['video']>): Kind {
  if (width === 0 || height === 0) throw unsupported('video without a size')
  return { rendition: 'video', video: { width, height } }
}

function readAudio(audio: NonNullable<Track['audio']>, file: ISOFile, bytes: Buffer): Kind {
  const entry = findSampleEntry(bytes)
  const box = soundConfigurationOf(entry, readSampleEntry(bytes, entry).boxes)
  const config = decoderSpecificInfo(file.getBox('esds')?.esd)
  const channels = config === undefined ? dolbyChannels(bytes, box) : channelsOf(config)
  return {
    rendition: 'audio',
    audio: { channels: channels ?? audio.channel_count, sampleRate: audio.sample_rate },
  }
}

function readDefaults(file: ISOFile, trackId: number): SampleDefaults | undefined {
  const trex = file.moov.mvex?.trexs.find(({ track_id }) => track_id === trackId)
  if (trex === undefined) throw unsupported(`no trex for track ${trackId}`)
  const { default_sample_duration: duration, default_sample_size: size } = trex
  const flags = trex.default_sample_flags
  return duration === 0 && size === 0 && flags === 0 ? undefined : { duration, size, flags }
}
