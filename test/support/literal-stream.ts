import { GatewayError } from '../../src/base/errors.ts'
import { ChangeSignal } from '../../src/base/signal.ts'
import type { Streams } from '../../src/http/door.ts'
import type { MediaReach } from '../../src/publish/segment-bytes.ts'
import type { FragmentBody } from '../../src/store/fragment-body.ts'
import type { FetchPlan, FragmentCache } from '../../src/store/fragment-cache.ts'
import { publishedKey } from '../../src/store/fragment-key.ts'
import {
  NO_REACH,
  type OnSignalLoss,
  type Stream,
  type StreamView,
} from '../../src/streams/stream.ts'
import { type Viewer, Viewers } from '../../src/streams/viewers.ts'
import type { RenditionName, Segment } from '../../src/timeline/fragment.ts'
import type { LiveList } from '../../src/timeline/segment-list.ts'

/** A stream that shows whatever snapshot a test gives it, over a real cache. */
export class LiteralStream implements Stream {
  readonly name: string
  onSignalLoss: OnSignalLoss = 'hold'
  readonly viewers = new Viewers()
  touches = 0
  readonly inits = new Map<string, Buffer>()
  /** How to fetch what is not in the cache; without an entry it is gone. */
  readonly upstream = new Map<string, FetchPlan>()
  readonly #cache: FragmentCache
  readonly #changed = new ChangeSignal()
  #snapshot: LiveList | undefined

  constructor(name: string, cache: FragmentCache) {
    this.name = name
    this.#cache = cache
  }

  show(snapshot: LiveList): void {
    this.#snapshot = snapshot
    this.#changed.notify()
  }

  get view(): StreamView {
    return {
      stream: this.name,
      state: this.#snapshot === undefined ? 'idle' : 'live',
      reason: null,
      sinceMs: 0,
      source: null,
      newest: undefined,
      mediaSequence: this.#snapshot?.mediaSequence ?? 0,
      discontinuitySequence: this.#snapshot?.discontinuitySequence ?? 0,
      live: this.#snapshot,
      grewMs: this.#snapshot?.tail.at(-1)?.receivedMs,
      dvr: undefined,
      reach: NO_REACH,
    }
  }

  changed(signal: AbortSignal): Promise<void> {
    return this.#changed.wait(signal)
  }

  fragment(
    rendition: RenditionName,
    msn: number,
    id: string,
    signal: AbortSignal,
    reach: MediaReach = 'anywhere',
  ): FragmentBody | Promise<FragmentBody> {
    const key = publishedKey(this.name, rendition, msn, id)
    const plan = this.upstream.get(`${this.name}/${rendition}/${msn}-${id}`)
    if (plan !== undefined && reach === 'anywhere') return this.#cache.fetch(key, plan, signal)
    const body = this.#cache.find(key, signal)
    if (body === undefined) throw new GatewayError('segment_gone', 'The segment has left the list')
    return body
  }

  touch(viewer?: Viewer): void {
    this.touches += 1
    if (viewer !== undefined) this.viewers.seen(viewer, 0)
  }

  init(_rendition: RenditionName, id: string): Buffer | undefined {
    return this.inits.get(id)
  }
}

/** A registry of such streams, which counts what reaches it. */
export class LiteralRegistry implements Streams {
  readonly streams = new Map<string, LiteralStream>()
  readonly requested: string[] = []
  /** What `using` waits for first, as for a stream by pattern that is still being made. */
  making: Promise<void> | undefined

  get(name: string): LiteralStream | undefined {
    return this.streams.get(name)
  }

  mayExist(name: string): boolean {
    return this.streams.has(name)
  }

  async using<T>(name: string, work: (stream: Stream) => Promise<T>): Promise<T> {
    await this.making
    const stream = this.streams.get(name)
    if (stream === undefined) throw new GatewayError('stream_not_found', 'No such stream')
    return work(stream)
  }

  async request(name: string, signal: AbortSignal): Promise<Stream> {
    this.requested.push(name)
    const stream = this.streams.get(name)
    if (stream === undefined) throw new GatewayError('stream_not_found', 'No such stream')
    while (stream.view.live === undefined) await stream.changed(signal)
    return stream
  }
}

const initFacts = {
  id: 'initV',
  rendition: 'video',
  codec: 'avc1.4d401f',
  timescale: 90_000,
  trackId: 1,
  video: { width: 640, height: 360 },
} as const

export function segment(msn: number, id = `id${msn}`, bytes = 1000): Segment {
  const track = { init: initFacts, baseTicks: msn * 180_000, durationTicks: 180_000, samples: 60 }
  return {
    msn,
    dsn: 0,
    source: 'camera',
    number: BigInt(msn),
    discontinuity: undefined,
    startMs: msn * 2000,
    durationMs: 2000,
    // Nobody waits for the next one.
    receivedMs: Date.UTC(2100, 0, 1),
    tracks: { video: { ...track, bytes, id } },
  }
}

/** A playlist of two-second video segments. */
export function snapshot(version: number, segments: readonly Segment[]): LiveList {
  return {
    version,
    targetDuration: 4,
    mediaSequence: segments[0]?.msn ?? 0,
    discontinuitySequence: 0,
    type: undefined,
    ended: false,
    renditions: ['video'],
    blocks: [],
    tail: segments,
  }
}
