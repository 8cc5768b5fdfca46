import { sliceBox } from '../boxes/box.ts'
import { withDataHere } from '../boxes/sample-entry.ts'
import { findSampleEntry } from '../boxes/stsd.ts'
import type { InitFacts } from '../init.ts'
import { endOfSamples, type SampleTable } from '../samples.ts'
import { MOVIE_TIMESCALE, type TrackHeader, writeTrak } from './movie-boxes.ts'
import { parameterSetsOf } from './parameter-sets.ts'
import { type DataStart, SampleTables } from './sample-tables.ts'
import { readSourceHeader, type SourceHeader } from './source-header.ts'
import { lengthOf, type PieceSource, type WovenChunk, weave } from './weave.ts'

const NOTHING = Buffer.alloc(0)

/** One track of one fragment of a recording. */
export interface TrackFragment extends SampleTable {
  readonly init: InitFacts
  readonly initBytes: Buffer
}

/** One track of a progressive MP4, growing fragment by fragment. */
export class MovieTrack {
  readonly #tables = new SampleTables()
  readonly #entries: Buffer[] = []
  readonly #init: InitFacts
  readonly #header: SourceHeader
  readonly #timescale: number
  /** The first sample's decode time, which is tick 0 of the track. */
  readonly #zeroTicks: number
  /** How much later presentation times are in the file, because an edit list cannot begin before tick 0. */
  readonly #compositionShift: number
  /** The presentation time of the earliest sample of the first fragment, as recorded. */
  readonly #firstTicks: number
  #endTicks = 0

  /**
   * @param maxTimescale ticks per second with which one sample may last as long as the movie
   * @param delayS as for {@link add}
   */
  constructor(first: TrackFragment, maxTimescale: number, delayS: number) {
    this.#init = first.init
    this.#header = readSourceHeader(first.initBytes, first.init.timescale)
    this.#timescale = Math.min(first.init.timescale, maxTimescale)
    this.#zeroTicks = this.#scale(first.samples[0]?.startTicks ?? 0, first.init, delayS)
    const presented = first.samples.map(({ startTicks, compositionTicks }) =>
      this.#ticks(startTicks + compositionTicks, first.init, delayS),
    )
    this.#firstTicks = presented.reduce((least, ticks) => Math.min(least, ticks), Infinity)
    this.#compositionShift = Math.max(0, -this.#firstTicks)
  }

  /** When the track’s first sample is presented, in seconds on the recording’s clock plus its delay. */
  get startS(): number {
    return (this.#zeroTicks + this.#firstTicks) / this.#timescale + this.#header.editS
  }

  get tables(): SampleTables {
    return this.#tables
  }

  /** How far the fragment would start before the end of what is there, in seconds; negative over a gap. */
  overlapS({ samples, init }: TrackFragment, delayS: number): number {
    const startTicks = this.#ticks(samples[0]?.startTicks ?? 0, init, delayS)
    return (this.#endTicks - startTicks) / this.#timescale
  }

  /**
   * @param offset of the fragment's first sample from the start of all media data, in bytes
   * @param delayS how much later than recorded the fragment is to play, in seconds
   * @returns what is to be in the file from there on
   */
  add(fragment: TrackFragment, offset: number, delayS: number): PieceSource[] {
    const { samples, init, initBytes } = fragment
    // The file's edit list is the first init segment's; where another says otherwise, its samples move.
    const editS = readSourceHeader(initBytes, init.timescale).editS - this.#header.editS
    const description = this.#describe(fragment)
    const parameterSets = this.#parameterSetsFor(description)
    for (const sample of samples) {
      const dueTicks = this.#ticks(sample.startTicks, init, delayS)
      // Decode times may not go back. Where fragments overlap by more than a sample, some come later.
      const startTicks = Math.max(dueTicks, this.#tables.lastTicks)
      const shownTicks = sample.startTicks + sample.compositionTicks
      const presented = this.#ticks(shownTicks, init, delayS + editS)
      const compositionTicks = presented - dueTicks + this.#compositionShift
      const bytes = sample.bytes + (sample.isSync ? parameterSets.length : 0)
      const isSync = sample.isSync || init.rendition === 'audio'
      this.#tables.addSample({ startTicks, compositionTicks, bytes, isSync })
    }
    const end = endOfSamples(samples, 0)
    this.#endTicks = this.#ticks(end, init, delayS)
    return this.#addChunks(weave(fragment, parameterSets), description, offset)
  }

  /** Writes the trak box, once its samples are complete. `startS` is that of the movie. */
  finish(trackId: number, createdMs: number, startS: number): FinishedTrack {
    const endTicks = Math.max(this.#endTicks, this.#tables.lastTicks)
    const tables = this.#tables.finish(this.#entries, endTicks)
    const header: TrackHeader = {
      trackId,
      kind: this.#init.rendition,
      createdMs,
      timescale: this.#timescale,
      mediaTicks: endTicks,
      emptyTicks: Math.round((this.startS - startS) * MOVIE_TIMESCALE),
      firstTicks: Math.max(0, this.#firstTicks),
      ...this.#looks(),
    }
    return { header, write: (dataStart) => writeTrak(header, tables.write(dataStart)) }
  }

  /** Reads how pictures look; some init segments leave it to the sample entry how large they are. */
  #looks(): Pick<TrackHeader, 'matrix' | 'width' | 'height'> {
    const { matrix, width, height } = this.#header
    const { video } = this.#init
    if (video === undefined || (width > 0 && height > 0)) return { matrix, width, height }
    return { matrix, width: video.width * 0x10000, height: video.height * 0x10000 }
  }

  #addChunks(chunks: readonly WovenChunk[], description: number, offset: number): PieceSource[] {
    let at = offset
    for (const { samples, sources } of chunks) {
      this.#tables.addChunk({ samples, description, offset: at })
      at += sources.reduce((sum, source) => sum + lengthOf(source), 0)
    }
    return chunks.flatMap(({ sources }) => sources)
  }

  /** Returns the number of a sample entry, which is written once however many inits repeat it. */
  #describe({ initBytes }: TrackFragment): number {
    const entry = withDataHere(sliceBox(initBytes, findSampleEntry(initBytes)))
    const known = this.#entries.findLastIndex((other) => other.equals(entry))
    return known === -1 ? this.#entries.push(entry) : known + 1
  }

  /**
   * Returns the parameter sets that samples must bring. Where one track has several decoder configurations, a sample
   * entry for each is all that the standard asks for. Browsers read the first one only, and fail at the change, unless
   * the samples themselves bring their parameter sets.
   */
  #parameterSetsFor(description: number): Buffer {
    const entry = this.#entries[description - 1]
    const isOnlyOne = this.#entries.length === 1
    if (entry === undefined || isOnlyOne || this.#init.rendition === 'audio') return NOTHING
    return parameterSetsOf(entry)
  }

  #ticks(sourceTicks: number, init: InitFacts, delayS: number): number {
    return this.#scale(sourceTicks, init, delayS) - this.#zeroTicks
  }

  /** Scales instants, not durations, so that what is lost by another timescale does not add up. */
  #scale(sourceTicks: number, { timescale }: InitFacts, delayS: number): number {
    const ticks =
      timescale === this.#timescale
        ? sourceTicks
        : Math.round(sourceTicks * (this.#timescale / timescale))
    return ticks + Math.round(delayS * this.#timescale)
  }
}

export interface FinishedTrack {
  readonly header: TrackHeader
  write(dataStart: DataStart): Buffer
}
