import { captionsOf } from '../formats/mp4/entry.ts'
import { type InitFacts, readInit } from '../formats/mp4/init.ts'
import type { Sample } from '../formats/mp4/track.ts'
import { writeFragment } from '../formats/mp4/write-fragment.ts'
import { writeInit } from '../formats/mp4/write-init.ts'
import type { RenditionName, TrackFacts } from '../timeline/fragment.ts'
import { lengthOf, type PictureLoop } from './picture-loop.ts'
import type { Sound } from './sound.ts'

/** One track of a slate segment, as fragmented MP4 of its own. */
export interface SlateTrack {
  readonly rendition: RenditionName
  readonly initBytes: Buffer
  readonly bytes: Buffer
  /** What is known of the track. Times are in ticks since 1970, as they will be published. */
  readonly facts: TrackFacts
}

export interface SlateSegment {
  /** When it begins, in milliseconds since 1970. */
  readonly startMs: number
  readonly durationMs: number
  /** The tracks, video first. */
  readonly tracks: readonly SlateTrack[]
}

/** What a slate is made of: at least one of the two. */
export interface SlateParts {
  readonly pictures: PictureLoop | undefined
  readonly sound: Sound | undefined
}

/** Says where each track goes on, in milliseconds since 1970. */
export type SlateStart = Readonly<Partial<Record<RenditionName, number>>>

/**
 * Runs a slate while it is shown: segment after segment, each beginning where the one before it ended, to the tick.
 * Sound comes in whole frames; what a segment's pictures are longer or shorter is carried on, so that the two never
 * drift apart.
 */
export class SlateRun {
  readonly #pictures: Pictures | undefined
  readonly #sounds: Sounds | undefined

  constructor({ pictures, sound }: SlateParts, startMs: number, start: SlateStart = {}) {
    this.#pictures =
      pictures === undefined ? undefined : new Pictures(pictures, start.video ?? startMs)
    this.#sounds = sound === undefined ? undefined : new Sounds(sound, start.audio ?? startMs)
  }

  /** When the next segment begins, in milliseconds since 1970. */
  get startMs(): number {
    return this.#pictures?.endMs ?? this.#sounds?.endMs ?? 0
  }

  /** Makes the next segment, about this long, unless pictures cannot be cut there. */
  next(lengthMs: number): SlateSegment {
    const { startMs } = this
    const video = this.#pictures?.next(lengthMs)
    const endMs = this.#pictures?.endMs ?? startMs + lengthMs
    const audio = this.#sounds?.next(endMs, startMs, this.#pictures?.loopMs ?? 0)
    return {
      startMs,
      durationMs: this.startMs - startMs,
      tracks: [video, audio].filter((track) => track !== undefined),
    }
  }
}

class Pictures {
  readonly #pictures: PictureLoop
  readonly #initBytes: Buffer
  readonly #init: InitFacts
  #ticks: number
  /** Where in the loop the newest segment begins, in milliseconds. */
  loopMs = 0

  constructor(pictures: PictureLoop, startMs: number) {
    this.#pictures = pictures
    this.#initBytes = writeInit(pictures.description)
    this.#init = readInit(this.#initBytes)
    this.#ticks = Math.round((startMs / 1_000) * this.#init.timescale)
  }

  get endMs(): number {
    return (this.#ticks / this.#init.timescale) * 1_000
  }

  next(lengthMs: number): SlateTrack {
    const { timescale } = this.#init
    const { samples, fromTicks } = this.#pictures.next((lengthMs / 1_000) * timescale)
    this.loopMs = (fromTicks / timescale) * 1_000
    let dts = this.#ticks
    const placed = samples.map((sample) => {
      const here = { ...sample, dts, pts: dts + sample.pts - sample.dts }
      dts += sample.duration
      return here
    })
    this.#ticks = dts
    return track(this.#init, this.#initBytes, placed)
  }
}

class Sounds {
  readonly #sound: Sound
  readonly #baseTicks: number
  /** How many frames there were so far. */
  #count = 0

  constructor(sound: Sound, startMs: number) {
    this.#sound = sound
    this.#baseTicks = Math.round((startMs / 1_000) * sound.init.timescale)
  }

  get endMs(): number {
    return this.#ms(this.#ticks(this.#count))
  }

  /** Makes whole frames up to about `endMs`, one at least. */
  next(endMs: number, startMs: number, loopMs: number): SlateTrack {
    const { init, initBytes } = this.#sound
    const halfFrameMs = (this.#ms(this.#ticks(this.#count + 1)) - this.endMs) / 2
    const samples: Sample[] = []
    do {
      const dts = this.#ticks(this.#count)
      const duration = this.#ticks(this.#count + 1) - dts
      const data = this.#sound.data(Math.max(0, loopMs + this.#ms(dts) - startMs))
      samples.push({ dts, pts: dts, duration, key: true, data })
      this.#count += 1
    } while (this.endMs + halfFrameMs <= endMs)
    return track(init, initBytes, samples)
  }

  #ticks(count: number): number {
    const { ticks, per } = this.#sound.frame
    return this.#baseTicks + Math.round((count * ticks) / per)
  }

  #ms(ticks: number): number {
    return (ticks / this.#sound.init.timescale) * 1_000
  }
}

function track(init: InitFacts, initBytes: Buffer, samples: readonly Sample[]): SlateTrack {
  const bytes = writeFragment(samples, { trackId: init.trackId })
  const captions = captionsOf({ initBytes, bytes }, init)
  return {
    rendition: init.rendition,
    initBytes,
    bytes,
    facts: {
      init,
      baseTicks: samples[0]?.dts ?? 0,
      durationTicks: lengthOf(samples),
      samples: samples.length,
      bytes: bytes.length,
      ...(captions === undefined ? {} : { captions }),
    },
  }
}
