import type { InitFacts } from '../init.ts'
import type { SampleTable } from '../samples.ts'
import { MOVIE_TIMESCALE, type TrackHeader, writeTrak } from './movie-boxes.ts'
import { sampleEntryOf } from './sample-entry.ts'
import { type DataStart, SampleTables } from './sample-tables.ts'

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
  readonly #timescale: number
  /** The first sample's decode time: tick 0 of the track. */
  readonly #zeroTicks: number
  /** Presentation times are this much later in the file, as an edit list cannot begin before tick 0. */
  readonly #compositionShift: number
  /** Presentation time of the earliest sample of the first fragment, as recorded. */
  readonly #firstTicks: number
  #endTicks = 0

  /**
   * @param maxTimescale ticks per second with which one sample may last as long as the movie
   * @param delayS as for {@link add}
   */
  constructor(first: TrackFragment, maxTimescale: number, delayS: number) {
    this.#init = first.init
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
    return (this.#zeroTicks + this.#firstTicks) / this.#timescale
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
   */
  add(fragment: TrackFragment, offset: number, delayS: number): void {
    const { samples, init } = fragment
    for (const sample of samples) {
      const dueTicks = this.#ticks(sample.startTicks, init, delayS)
      // Decode times may not go back where fragments overlap a little. Presentation stays as it was.
      const startTicks = Math.max(dueTicks, this.#tables.lastTicks)
      const presented = this.#ticks(sample.startTicks + sample.compositionTicks, init, delayS)
      const compositionTicks = presented - startTicks + this.#compositionShift
      this.#tables.addSample({ ...sample, startTicks, compositionTicks })
    }
    const last = samples.at(-1)
    if (last === undefined) return
    this.#endTicks = this.#ticks(last.startTicks + last.durationTicks, init, delayS)
    this.#addChunks(fragment, offset)
  }

  /** The trak box, once its samples are complete. `startS` is that of the movie. */
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
      width: this.#init.video?.width ?? 0,
      height: this.#init.video?.height ?? 0,
    }
    return { header, write: (dataStart) => writeTrak(header, tables.write(dataStart)) }
  }

  #addChunks({ pieces, initBytes }: TrackFragment, offset: number): void {
    const description = this.#describe(sampleEntryOf(initBytes))
    let at = offset
    for (const { samples, start, end } of pieces) {
      this.#tables.addChunk({ samples, description, offset: at })
      at += end - start
    }
  }

  /** The number of a sample entry, which is written once however many inits repeat it. */
  #describe(entry: Buffer): number {
    const known = this.#entries.findLastIndex((other) => other.equals(entry))
    return known === -1 ? this.#entries.push(entry) : known + 1
  }

  #ticks(sourceTicks: number, init: InitFacts, delayS: number): number {
    return this.#scale(sourceTicks, init, delayS) - this.#zeroTicks
  }

  /** Instants are rounded, not durations: so what is lost by another timescale does not add up. */
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
