import { z } from 'zod'
import { readAudioSpecificConfig } from './audio-specific-config.ts'
import { boundedMovie } from './bounded-movie.ts'
import { decoderSpecificInfo } from './boxes/esds.ts'
import { malformed, unsupported } from './mp4-error.ts'
import { type ISOFile, readWithMp4box } from './mp4box.ts'
import { type AacDescription, type Sample, type Track, timescaleOf } from './track.ts'

/** The tracks of an MP4 file that we can show; each begins at tick 0. */
export interface Movie {
  readonly video: Track | undefined
  readonly audio: Track | undefined
}

/** How many samples a file may have: half an hour of a picture that moves, or of sound. */
const MOST_SAMPLES = 100_000

/**
 * Reads a whole MP4 file, progressive or fragmented: its first H.264 or HEVC track and its first AAC track.
 * @throws Mp4Error when it has neither, or cannot be read
 */
export function readMovie(bytes: Buffer): Movie {
  return readWithMp4box(boundedMovie(bytes), (file) => {
    const { videoTracks = [], audioTracks = [] } = infoOf(file)
    const [video, audio] = [videoTracks[0], audioTracks[0]]
    if (video === undefined && audio === undefined) throw unsupported('no video and no audio track')
    return {
      video: video === undefined ? undefined : readTrack(bytes, file, video.id),
      audio: audio === undefined ? undefined : readTrack(bytes, file, audio.id),
    }
  })
}

type Info = ReturnType<ISOFile['getInfo']>

function infoOf(file: ISOFile): Partial<Pick<Info, 'videoTracks' | 'audioTracks'>> {
  if ((file.moov as unknown) === undefined) throw malformed('no moov box')
  return file.getInfo()
}

function readTrack(bytes: Buffer, file: ISOFile, id: number): Track {
  const description = describe(file, id)
  const samples = file.getTrackSamplesInfo(id)
  const [first] = samples
  if (first === undefined) throw malformed(`track ${id} has no sample`)
  if (samples.length > MOST_SAMPLES) throw unsupported(`${samples.length} samples in track ${id}`)
  if (!first.is_sync) throw unsupported(`track ${id} does not begin with a keyframe`)
  const scale = timescaleOf(description) / first.timescale
  const ticks = (time: number): number => Math.round((time - first.dts) * scale)
  return {
    description,
    samples: samples.map((sample): Sample => {
      const { dts, cts, duration, is_sync: key, offset, size } = sample
      const data = bytes.subarray(offset, offset + size)
      if (data.length !== size || size === 0) throw malformed(`a sample of track ${id} is cut off`)
      // Differences of rounded times, so that their sum does not drift.
      const start = ticks(dts)
      const length = ticks(dts + duration) - start
      if (length <= 0) throw unsupported(`a sample of track ${id} has no length`)
      return { dts: start, pts: ticks(cts), duration: length, key, data }
    }),
  }
}

const nalUnit = z.object({ data: z.instanceof(Uint8Array) })

/** The parts of mp4box's sample entries that we use; its own types leave them open. */
const entrySchema = z.union([
  z.object({
    avcC: z.object({
      lengthSizeMinusOne: z.number(),
      SPS: z.array(nalUnit).min(1),
      PPS: z.array(nalUnit).min(1),
    }),
  }),
  z.object({
    hvcC: z.object({ lengthSizeMinusOne: z.number(), nalu_arrays: z.array(z.unknown()) }),
  }),
  // MPEG-4 video has such a descriptor too, but no sample rate.
  z.object({ samplerate: z.number(), esds: z.object({ esd: z.unknown() }) }),
])

function describe(file: ISOFile, id: number): Track['description'] {
  const [written] = file.getTrackById(id).mdia.minf.stbl.stsd.entries
  const { success, data: entry } = entrySchema.safeParse(written)
  if (!success) throw unsupported(`track ${id} is neither H.264, HEVC nor AAC`)
  if ('esds' in entry) return describeAac(decoderSpecificInfo(entry.esds.esd), id)
  const { lengthSizeMinusOne } = 'avcC' in entry ? entry.avcC : entry.hvcC
  if (lengthSizeMinusOne !== 3)
    throw unsupported(`NAL lengths of other than 4 bytes in track ${id}`)
  if ('avcC' in entry) {
    const { SPS, PPS } = entry.avcC
    return { codec: 'avc', sequenceSets: SPS.map(unitBytes), pictureSets: PPS.map(unitBytes) }
  }
  const sets = (type: number): Buffer[] => setsOf(entry.hvcC.nalu_arrays, type)
  return { codec: 'hevc', videoSets: sets(32), sequenceSets: sets(33), pictureSets: sets(34) }
}

/** An array of units that has the type of all of them as a property. */
const unitArray = z.custom<readonly unknown[] & { readonly nalu_type: number }>(
  (value) => Array.isArray(value) && 'nalu_type' in value,
)

function setsOf(arrays: readonly unknown[], type: number): Buffer[] {
  return arrays
    .map((array) => unitArray.parse(array))
    .filter((array) => array.nalu_type === type)
    .flatMap((array) =>
      z
        .array(nalUnit)
        .parse([...array])
        .map(unitBytes),
    )
}

function unitBytes({ data }: z.output<typeof nalUnit>): Buffer {
  return Buffer.from(data)
}

function describeAac(bytes: Uint8Array | undefined, id: number): AacDescription {
  const config = bytes === undefined ? undefined : readAudioSpecificConfig(bytes)
  if (
    config?.objectType !== 2 ||
    config.frequencyIndex > 12 ||
    config.channels < 1 ||
    config.channels > 7
  ) {
    throw unsupported(`track ${id} is not AAC-LC at a common rate`)
  }
  return { codec: 'aac', ...config }
}
