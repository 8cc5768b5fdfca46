import type { InitFacts } from '../../src/formats/mp4/init.ts'
import type { FragmentFacts, Segment, TrackFacts } from '../../src/timeline/fragment.ts'
import type { Timeline } from '../../src/timeline/timeline.ts'

/** What a session's tfdt may count from. KVS.md, section 13. */
export type Base = 'epoch' | 'session' | 'fragment'

export const START_MS = Date.UTC(2026, 0, 1)

export const VIDEO: InitFacts = {
  id: 'v1',
  rendition: 'video',
  codec: 'avc1.4d4029',
  timescale: 90_000,
  trackId: 1,
  video: { width: 1280, height: 720 },
}
export const AUDIO: InitFacts = {
  id: 'a1',
  rendition: 'audio',
  codec: 'mp4a.40.2',
  timescale: 48_000,
  trackId: 1,
  audio: { channels: 2, sampleRate: 48_000 },
}

/** 2^156 + counter · 2^92 + server time · 2^28, as KVS makes them. */
export function fragmentNumber(counter: number, serverMs: number): bigint {
  return 2n ** 156n + (BigInt(counter) << 92n) + (BigInt(Math.floor(serverMs)) << 28n)
}

export interface CameraOptions {
  readonly audio?: boolean
  /** What one fragment's samples say that they last. */
  readonly fragmentMs?: number
  /** How much more its date progresses than its samples say, per fragment. */
  readonly driftMs?: number
}

/**
 * A camera and the session through which it is seen: frames without end, cut into fragments. Audio comes
 * in frames of 1,024 samples, so its fragments begin and end off the video's.
 */
export class Camera {
  readonly #options: Required<CameraOptions>
  /** Of the next fragment. */
  counter = 1
  dateMs = START_MS
  #videoTicks = 0
  #audioFrames = 0
  session = 1
  base: Base = 'epoch'
  #sessionMs = 0
  video = VIDEO
  audio: InitFacts | undefined

  constructor(options: CameraOptions = {}) {
    this.#options = { audio: true, fragmentMs: 2000, driftMs: 0, ...options }
    this.audio = this.#options.audio ? AUDIO : undefined
  }

  openSession(base: Base): void {
    this.session += 1
    this.base = base
    this.#sessionMs = this.#mediaMs()
  }

  /** The next fragment, its date off by `jitterMs`. */
  next({ jitterMs = 0 } = {}): FragmentFacts {
    const { fragmentMs, driftMs } = this.#options
    const mediaMs = this.#mediaMs()
    const startMs = Math.round(this.dateMs + jitterMs)
    const videoTicks = Math.round(fragmentMs * 90)
    const endFrames = Math.round(((mediaMs + fragmentMs) * 48) / 1024)
    const zeroMs = this.#zeroMs(mediaMs)
    const fragment: FragmentFacts = {
      source: 'camera',
      number: fragmentNumber(this.counter, this.dateMs + fragmentMs),
      timeBase: this.session,
      startMs,
      receivedMs: startMs + fragmentMs + 500,
      tracks: {
        video: track(this.video, this.#videoTicks - zeroMs * 90, videoTicks, fragmentMs / 40),
        ...(this.audio === undefined ? {} : { audio: this.#audioTrack(zeroMs, endFrames) }),
      },
    }
    this.counter += 1
    this.dateMs += fragmentMs + driftMs
    this.#videoTicks += videoTicks
    this.#audioFrames = endFrames
    return fragment
  }

  /** Media that nobody will see: an outage, dropped fragments. */
  lose(ms: number): void {
    this.dateMs += ms
    this.#videoTicks += Math.round(ms * 90)
    this.#audioFrames = Math.round((this.#mediaMs() * 48) / 1024)
  }

  #audioTrack(zeroMs: number, endFrames: number): TrackFacts {
    const frames = endFrames - this.#audioFrames
    const init = this.audio ?? AUDIO
    return track(init, this.#audioFrames * 1024 - zeroMs * 48, frames * 1024, frames)
  }

  #mediaMs(): number {
    return this.#videoTicks / 90
  }

  #zeroMs(mediaMs: number): number {
    if (this.base === 'epoch') return -START_MS
    // A whole millisecond before the fragment, so that audio that begins a little early is not negative.
    return Math.floor(this.base === 'session' ? this.#sessionMs : mediaMs) - 20
  }
}

function track(init: InitFacts, base: number, durationTicks: number, samples: number): TrackFacts {
  return { init, baseTicks: Math.round(base), durationTicks, samples, bytes: 1000 }
}

/** Places and commits; undefined when the timeline did not take it. */
export function accept(timeline: Timeline, fragment: FragmentFacts): Segment | undefined {
  const placement = timeline.place(fragment)
  if (placement.kind !== 'append') return undefined
  const { msn, tracks } = placement.segment
  return timeline.commit(placement.segment, {
    ...(tracks.video === undefined ? {} : { video: { id: `v${msn}`, bytes: 1000 } }),
    ...(tracks.audio === undefined ? {} : { audio: { id: `a${msn}`, bytes: 100 } }),
  })
}
