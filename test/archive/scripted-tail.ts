import type { LiveTail } from '../../src/archive/live-tail.ts'
import { ChangeSignal } from '../../src/base/signal.ts'
import { completeBody, type FragmentBody } from '../../src/store/fragment-body.ts'
import { liveSegment } from '../../src/timeline/dvr/dvr-segment.ts'
import type { RenditionName, Segment } from '../../src/timeline/fragment.ts'
import type { DvrList, LiveList } from '../../src/timeline/segment-list.ts'
import { upstreamError } from '../../src/upstream/errors.ts'
import { literalInit } from '../support/literal-fragment.ts'
import { START_MS } from './scripted-past.ts'

const { init, initBytes } = literalInit('avc')

/** What a stream has published of a fragment that was recorded a second after the one before it. */
export function published(number: number, more: Partial<Segment> = {}): Segment {
  const startMs = START_MS + 1000 * (number - 1)
  const track = {
    init,
    baseTicks: (startMs * init.timescale) / 1000,
    durationTicks: init.timescale,
    samples: 1,
    bytes: 100,
    id: `id${number}`,
  }
  return {
    msn: 1000 + number,
    dsn: 0,
    source: 'camera',
    number: BigInt(number),
    discontinuity: undefined,
    startMs,
    durationMs: 1000,
    receivedMs: startMs + 1500,
    tracks: { video: track },
    ...more,
  }
}

/** A stream that shows what a test says, and keeps the bytes that it is given. */
export class ScriptedTail implements LiveTail {
  /** By media sequence number; what is not here has left. */
  readonly bytes = new Map<number, Buffer>()
  /** Whether it starts when it is asked to. */
  starts = true
  started = 0
  readonly #changed = new ChangeSignal()
  readonly #keeps: boolean
  #segments: readonly Segment[] = []
  #isRunning = false

  /** @param keeps whether all that it ever showed is its DVR list */
  constructor(keeps = false) {
    this.#keeps = keeps
  }

  /** Shows these, and says so. */
  show(segments: readonly Segment[]): void {
    this.#segments = segments
    this.#isRunning = true
    this.#changed.notify()
  }

  /** Stops. What it keeps stays. */
  stop(): void {
    this.#isRunning = false
    this.#changed.notify()
  }

  get view(): LiveTail['view'] {
    const live = this.#isRunning ? listOf(this.#segments.slice(-6)) : undefined
    const kept = this.kept()
    if (kept === undefined) return { live, dvr: undefined }
    return { live, dvr: this.#isRunning ? [kept] : [] }
  }

  kept(): DvrList | undefined {
    if (!this.#keeps) return undefined
    return { ...listOf(this.#segments), tail: this.#segments.map(liveSegment), edition: 0 }
  }

  changed(signal: AbortSignal): Promise<void> {
    return this.#changed.wait(signal)
  }

  fragment(_rendition: RenditionName, msn: number): FragmentBody {
    const bytes = this.bytes.get(msn)
    if (bytes === undefined) throw upstreamError('segment_gone')
    return completeBody(bytes)
  }

  init(): Buffer {
    return initBytes
  }

  ready(signal: AbortSignal): Promise<void> {
    this.started += 1
    if (!this.starts) return this.#changed.wait(signal)
    this.show(this.#segments)
    return Promise.resolve()
  }
}

function listOf(tail: readonly Segment[]): LiveList {
  return {
    version: tail.length,
    targetDuration: 2,
    mediaSequence: tail[0]?.msn ?? 0,
    discontinuitySequence: 0,
    type: undefined,
    ended: false,
    renditions: ['video'],
    blocks: [],
    tail,
  }
}
