import fc from 'fast-check'
import type { Clock } from '../../src/base/clock.ts'
import { GatewayError } from '../../src/base/errors.ts'
import { silentLog } from '../../src/base/log.ts'
import { readMedia } from '../../src/formats/mp4/media.ts'
import type { FetchedFragment, FetchedTrack } from '../../src/ingest/fetch-fragment.ts'
import { GatewayCounters } from '../../src/metrics/gateway-counters.ts'
import { Publisher, type PublisherOptions } from '../../src/publish/publisher.ts'
import { FragmentCache } from '../../src/store/fragment-cache.ts'
import { MemoryStore } from '../../src/store/memory-store.ts'
import type { SourceName } from '../../src/timeline/fragment.ts'
import { fragmentNumber } from '../support/camera.ts'
import { type LiteralInit, literalFragment, literalInit } from '../support/literal-fragment.ts'
import type { ManualClock } from '../support/manual-clock.ts'

export const FRAGMENT_MS = 2_000
const PICTURES = [literalInit('avc'), literalInit('avc-bframes'), literalInit('hevc')] as const
const SOUND = literalInit('aac')

/** Opens a publisher as one node has it, with a cache of its own. */
export function openPublisher(
  clock: Clock,
  stores: Pick<PublisherOptions['stores'], 'timelines' | 'journals'>,
  options: Partial<Pick<PublisherOptions, 'dvrMs' | 'refetch'>> = {},
): Promise<Publisher> {
  const memory = new MemoryStore({ clock, maxBytes: 2 ** 22 })
  const cells = { hits: { value: 0 }, misses: { value: 0 }, coalesced: { value: 0 } }
  const cache = new FragmentCache({ clock, store: memory, tiers: [], ...cells })
  return Publisher.open({
    stream: 'lobby',
    clock,
    log: silentLog,
    counters: new GatewayCounters(),
    timeline: { window: 5, targetDurationFloorS: () => 2 },
    dvrMs: 0,
    stores: { memory, cache, ...stores },
    refetch: () => {
      throw new GatewayError('segment_gone', 'nothing is fetched again here')
    },
    ...options,
  })
}

/** What may happen to the fragments of a stream. */
export const event = fc.oneof(
  {
    weight: 12,
    arbitrary: fc.record({ do: fc.constant('publish'), times: fc.integer({ min: 1, max: 8 }) }),
  },
  {
    weight: 2,
    arbitrary: fc.record({ do: fc.constant('lose media'), times: fc.integer({ min: 1, max: 9 }) }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant('change codec'),
      times: fc.integer({ min: 0, max: 2 }),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constant('change source'),
      times: fc.integer({ min: 0, max: 2 }),
    }),
  },
  ...(['roll over', 'sound', 'end', 'pause'] as const).map((name) => ({
    weight: 1,
    arbitrary: fc.constant({ do: name, times: 1 }),
  })),
)
export type StreamEvent = typeof event extends fc.Arbitrary<infer T> ? T : never

/** A camera of which a test says what happens to it, and in whose hands its fragments are. */
export class CameraHistory {
  readonly #clock: ManualClock
  #index = 0
  #picture: LiteralInit = PICTURES[0]
  #hasSound = true
  #source: SourceName = 'camera'
  #timeBase = 1
  #baseIndex = 0
  /** The places of what was lost and is not in the DVR list yet, oldest first. */
  readonly #lost: number[] = []

  constructor(clock: ManualClock) {
    this.#clock = clock
  }

  /** Makes it happen at this owner. */
  async happens({ do: what, times }: StreamEvent, owner: Publisher): Promise<void> {
    if (what === 'publish') await this.publish(owner, times)
    if (what === 'lose media') {
      for (let i = 1; i <= times; i += 1) this.#lost.push(this.#index + i)
      this.#pass(times)
    }
    if (what === 'change codec') this.#picture = PICTURES[times] ?? PICTURES[0]
    if (what === 'change source')
      this.#source = (['camera', 'backup', 'slate'] as const)[times] ?? 'camera'
    if (what === 'sound') this.#hasSound = !this.#hasSound
    if (what === 'end') await owner.end()
    if (what === 'roll over') {
      this.#timeBase += 1
      this.#baseIndex = this.#index
    }
    if (what === 'pause') {
      this.#pass(60)
      owner.begin()
      owner.resume()
    }
  }

  /** Publishes its next fragments, one after the other. */
  async publish(owner: Publisher, count: number): Promise<void> {
    for (let i = 0; i < count; i += 1) {
      this.#pass(1)
      const skipped = await owner.publish(this.#source, [this.#fragment()], () => true)
      if (skipped[0] !== undefined) throw skipped[0].error
    }
  }

  /** Finds some of what was lost, and inserts it into the DVR list. */
  async find(owner: Publisher, count: number): Promise<void> {
    if (owner.dvr === undefined) return
    const insertions = owner.insertions(owner.dvr)
    for (const index of this.#lost.splice(-count)) {
      await insertions.add(this.#fragment(index, 0), 'none')
    }
    await insertions.finish()
  }

  #pass(count: number): void {
    this.#index += count
    this.#clock.advance(count * FRAGMENT_MS)
  }

  #fragment(index = this.#index, baseIndex = this.#baseIndex): FetchedFragment {
    const endMs = this.#clock.now() - (this.#index - index) * FRAGMENT_MS
    const tracks = [track('video', this.#picture, index - baseIndex)]
    if (this.#hasSound) tracks.push(track('audio', SOUND, index - baseIndex))
    return {
      listed: {
        number: fragmentNumber(index, endMs),
        startMs: endMs - FRAGMENT_MS,
        durationS: FRAGMENT_MS / 1_000,
        discontinuity: undefined,
      },
      timeBase: this.#timeBase,
      receivedMs: endMs + 150,
      tracks,
    }
  }
}

function track(
  rendition: FetchedTrack['rendition'],
  { init, initBytes }: LiteralInit,
  index: number,
): FetchedTrack {
  const durationTicks = (init.timescale * FRAGMENT_MS) / 4_000
  const samples = Array.from({ length: 4 }, (_, i) => {
    return { durationTicks, bytes: 10, isSync: i === 0, compositionTicks: 0 }
  })
  const bytes = literalFragment({ init, initBytes }, index * 4 * durationTicks, samples)
  const { startsWithSync: _, ...facts } = readMedia(bytes, init)
  return { rendition, initBytes, bytes, facts: { init, ...facts, bytes: bytes.length } }
}
