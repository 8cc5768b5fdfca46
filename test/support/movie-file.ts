import { createFile, MP4BoxBuffer, type Sample } from 'mp4box'
import type {
  MovieFragmentTrack,
  MovieLayout,
} from '../../src/formats/mp4/progressive/progressive-movie.ts'
import { ProgressiveMovie } from '../../src/formats/mp4/progressive/progressive-movie.ts'

/** One fragment: the tracks that it has. */
export type MovieFragment = readonly MovieFragmentTrack[]

export function layOut(fragments: readonly MovieFragment[], maxSeconds = 3_600): MovieLayout {
  const movie = new ProgressiveMovie({ createdMs: Date.UTC(2026, 0, 1), maxSeconds })
  for (const tracks of fragments) movie.add(tracks)
  return movie.finish()
}

/** The whole file that a layout describes. */
export function assemble(
  { head, pieces }: MovieLayout,
  fragments: readonly MovieFragment[],
): Buffer {
  const media = pieces.map(({ fragment, rendition, source }) => {
    if (Buffer.isBuffer(source)) return source
    const track = fragments[fragment]?.find(({ init }) => init.rendition === rendition)
    if (track === undefined) throw new Error(`no ${rendition} in fragment ${fragment}`)
    return track.bytes.subarray(source.start, source.end)
  })
  return Buffer.concat([head, ...media])
}

/** What mp4box makes of a progressive file. */
export interface SeenTrack {
  readonly kind: string
  readonly codec: string
  readonly timescale: number
  /** In seconds, gaps included. */
  readonly durationS: number
  readonly samples: readonly Sample[]
  /** Of the movie's start until the track's first sample is presented, in seconds. */
  readonly startS: number
  /** Where presentation begins within the track, in its ticks. */
  readonly firstTicks: number
  readonly descriptions: number
}

export function seeMovie(file: Buffer): readonly SeenTrack[] {
  const mp4 = createFile(true)
  mp4.appendBuffer(MP4BoxBuffer.fromArrayBuffer(new Uint8Array(file).buffer, 0), true)
  const info = mp4.getInfo()
  return info.tracks.map((track) => {
    const edits = mp4.getTrackById(track.id).edts?.elst?.entries ?? []
    const [first] = edits
    const emptyTicks = first?.media_time === -1 ? first.segment_duration : 0
    return {
      kind: track.video === undefined ? 'audio' : 'video',
      codec: track.codec,
      timescale: track.timescale,
      durationS: track.duration / track.timescale,
      samples: mp4.getTrackSamplesInfo(track.id),
      startS: emptyTicks / info.timescale,
      firstTicks: edits.at(-1)?.media_time ?? 0,
      descriptions: mp4.getTrackById(track.id).mdia.minf.stbl.stsd.entries.length,
    }
  })
}
