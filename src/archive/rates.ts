import type { SegmentTrack, TrackFacts } from '../timeline/fragment.ts'
import type { ListRates } from '../timeline/segment-list.ts'

type Measurable = Pick<TrackFacts | SegmentTrack, 'init' | 'durationTicks' | 'samples' | 'bytes'>

/** How much larger what was not looked into may be, because BANDWIDTH is to be an upper bound (RFC 8216, 4.3.4.2). */
const HEADROOM = 1.25
const BITRATE_STEP = 1000

/** Measures few fragments for many. */
export class Rates {
  #fragments = 0
  #peak = 0
  #sum = 0
  #frameRate: number | undefined

  /** Takes all tracks of one fragment. */
  take(tracks: readonly Measurable[]): void {
    const bitrate = tracks.reduce((sum, track) => sum + (track.bytes * 8) / secondsOf(track), 0)
    this.#fragments += 1
    this.#peak = Math.max(this.#peak, bitrate)
    this.#sum += bitrate
    const video = tracks.find(({ init }) => init.rendition === 'video')
    if (video !== undefined) this.#frameRate ??= video.samples / secondsOf(video)
  }

  measured(): ListRates {
    return {
      peakBitrate: roundUp(this.#peak * HEADROOM),
      averageBitrate: roundUp(this.#sum / Math.max(1, this.#fragments)),
      frameRate: this.#frameRate,
    }
  }
}

function secondsOf({ durationTicks, init }: Measurable): number {
  return durationTicks / init.timescale
}

function roundUp(bitsPerSecond: number): number {
  return Math.ceil(bitsPerSecond / BITRATE_STEP) * BITRATE_STEP
}
