import { join, writeBox } from '../boxes/box.ts'
import { u32, u64 } from '../boxes/fields.ts'
import { writeFtyp } from '../boxes/ftyp.ts'
import { AS_IT_IS, writeMvhd } from '../boxes/mvhd.ts'
import { timesOf } from '../boxes/times.ts'
import type { InitFacts } from '../init.ts'
import { malformed } from '../mp4-error.ts'
import { readSamples } from '../samples.ts'
import { MOVIE_TIMESCALE, trackTicks } from './movie-boxes.ts'
import { type FinishedTrack, MovieTrack, type TrackFragment } from './movie-track.ts'
import { type DataStart, MAX_SAMPLE_TICKS } from './sample-tables.ts'
import { lengthOf, type PieceSource } from './weave.ts'

/** One track of one fragment, as recorded: an init segment, and moof and mdat boxes. */
export interface MovieFragmentTrack {
  readonly init: InitFacts
  readonly initBytes: Buffer
  readonly bytes: Buffer
}

/** A progressive MP4 (ISO/IEC 14496-12) whose media data stay where they are. */
export interface MovieLayout {
  /** ftyp, moov and the header of mdat: all of the file before its media data. */
  readonly head: Buffer
  /** What follows the head, in order and without holes. */
  readonly pieces: readonly MediaPiece[]
  /** How large the whole file is, in bytes. */
  readonly size: number
}

/** Adjacent bytes of the file after its head. */
export interface MediaPiece {
  /** Where its first byte is in the file. */
  readonly offset: number
  readonly length: number
  /** Which of the fragments that were added it is of, from 0, and which of its tracks. */
  readonly fragment: number
  readonly rendition: InitFacts['rendition']
  /** A place in the track's bytes, as the fragment has them; or the bytes themselves. */
  readonly source: PieceSource
}

export interface MovieOptions {
  /** When the recording was made, in milliseconds since 1970: the file says so. */
  readonly createdMs: number
  /** How long it will be at least, gaps included, in seconds. */
  readonly maxSeconds: number
}

/** How far fragments may overlap or be apart without being taken for a break, in seconds. */
const TOLERANCE_S = 0.05
const MAX_32_BIT = 2 ** 32 - 1

/**
 * Makes one progressive MP4 with its moov box first (“fast start”) of the fragments of a recording. Only
 * tables are kept, 6 bytes a sample; the media data are left for whoever sends the file.
 *
 * Times are the recording's. What is missing there lasts as long here, as the sample before it. Only a
 * clock that goes back cannot be followed: what comes then plays later than recorded, all tracks alike,
 * until a gap makes up for it.
 */
export class ProgressiveMovie {
  readonly #options: MovieOptions
  readonly #tracks = new Map<InitFacts['rendition'], MovieTrack>()
  readonly #pieces: MediaPiece[] = []
  #fragments = 0
  #mediaBytes = 0
  #delayS = 0

  constructor(options: MovieOptions) {
    this.#options = options
  }

  /** How many samples there are, in all tracks. */
  get samples(): number {
    return [...this.#tracks.values()].reduce((sum, { tables }) => sum + tables.samples, 0)
  }

  /**
   * Adds the next fragment.
   * @throws Mp4Error
   */
  add(tracks: readonly MovieFragmentTrack[]): void {
    const read = tracks.map((track) => ({ ...track, ...readSamples(track.bytes, track.init) }))
    // The picture first: what a player needs most of, and most often.
    read.sort((a, b) => b.init.rendition.localeCompare(a.init.rendition))
    this.#delayS = this.#delayOf(read)
    for (const track of read) this.#addTrack(track)
    this.#fragments += 1
  }

  /**
   * Lays the file out.
   * @throws Mp4Error when nothing was added
   */
  finish(): MovieLayout {
    const head = this.#writeHead()
    return {
      head,
      pieces: this.#pieces.map((piece) => ({ ...piece, offset: head.length + piece.offset })),
      size: head.length + this.#mediaBytes,
    }
  }

  #delayOf(tracks: readonly TrackFragment[]): number {
    const overlaps = tracks.map(
      (track) => this.#tracks.get(track.init.rendition)?.overlapS(track, this.#delayS) ?? -Infinity,
    )
    const overlapS = Math.max(...overlaps)
    return Math.abs(overlapS) <= TOLERANCE_S ? this.#delayS : Math.max(0, this.#delayS + overlapS)
  }

  #addTrack(fragment: TrackFragment): void {
    const { rendition } = fragment.init
    let track = this.#tracks.get(rendition)
    if (track === undefined) {
      const maxTimescale = Math.floor(MAX_SAMPLE_TICKS / this.#options.maxSeconds)
      track = new MovieTrack(fragment, maxTimescale, this.#delayS)
      this.#tracks.set(rendition, track)
    }
    for (const source of track.add(fragment, this.#mediaBytes, this.#delayS)) {
      const place = { offset: this.#mediaBytes, length: lengthOf(source) }
      this.#pieces.push({ ...place, fragment: this.#fragments, rendition, source })
      this.#mediaBytes += place.length
    }
  }

  #writeHead(): Buffer {
    const { createdMs } = this.#options
    const all = [...this.#tracks].toSorted(([a], [b]) => b.localeCompare(a))
    if (all.length === 0) throw malformed('a movie without a fragment')
    const startS = Math.min(...all.map(([, track]) => track.startS))
    const tracks = all.map(([, track], i) => track.finish(i + 1, createdMs, startS))
    const largest = this.#headOf(tracks, { at: 0, isLarge: true }).length
    const isLarge = largest + this.#mediaBytes > MAX_32_BIT
    // Twice, as the tables hold places in the file, which depend on the size of the tables.
    const at = this.#headOf(tracks, { at: 0, isLarge }).length
    return this.#headOf(tracks, { at, isLarge })
  }

  #headOf(tracks: readonly FinishedTrack[], dataStart: DataStart): Buffer {
    const mdat = mdatHeader(this.#mediaBytes, dataStart.isLarge)
    return join([writeFileType(), this.#writeMoov(tracks, dataStart), mdat])
  }

  #writeMoov(tracks: readonly FinishedTrack[], dataStart: DataStart): Buffer {
    const durationTicks = Math.max(...tracks.map(({ header }) => trackTicks(header)))
    return writeBox('moov', [
      writeMvhd({
        ...timesOf(this.#options.createdMs),
        ...AS_IT_IS,
        timescale: MOVIE_TIMESCALE,
        duration: BigInt(durationTicks),
        nextTrackId: tracks.length + 1,
      }),
      ...tracks.map((track) => track.write(dataStart)),
    ])
  }
}

/** Writes ftyp with iso4, because ctts boxes of version 1 need it. */
function writeFileType(): Buffer {
  return writeFtyp('isom', 0x200, ['isom', 'iso4', 'mp41', 'mp42'])
}

function mdatHeader(mediaBytes: number, isLarge: boolean): Buffer {
  const type = Buffer.from('mdat')
  if (isLarge) return Buffer.concat([u32(1), type, u64(16 + mediaBytes)])
  return Buffer.concat([u32(8 + mediaBytes), type])
}
