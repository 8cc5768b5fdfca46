import type { Clip, TrackKind } from '../media/clip.ts'
import type { Content, Fragment } from './fragment.ts'
import { decodeFragmentNumber, encodeFragmentNumber } from './fragment-number.ts'
import { hash32, hashSigned } from './hash.ts'
import { Script } from './script.ts'
import { Slots } from './slots.ts'

export interface Timing {
  /** How long after the last frame the service shows the fragment. */
  readonly ingestLatencyMs: number
  /** How much is added to that at most, from 0 on. */
  readonly ingestJitterMs: number
  /** How far server timestamps wander from a steady delay, either way. */
  readonly serverJitterMs: number
}

/** How far a fragment's server time is from its start at most: the schema's limits and then some. */
const LONGEST_INGEST_MS = 20_000
const RANDOM_BITS = 28

/**
 * Makes all fragments that a stream ever had or will have, as a function of time: nothing is stored, and the past is
 * made again on demand, the same as it was shown live.
 */
export class Timeline {
  readonly #name: string
  readonly #timing: Timing
  readonly slots: Slots
  readonly script: Script

  constructor(name: string, clip: Clip, anchorMs: number, timing: Timing) {
    this.#name = name
    this.#timing = timing
    this.slots = new Slots(clip, anchorMs)
    this.script = new Script(this.slots)
  }

  /** Returns what arrives in a slot, in the order of ingestion: usually one fragment. */
  ingested(slot: number): readonly Fragment[] {
    if (slot < 0 || this.script.stopped(slot)) return []
    const own = this.script.dropped(slot) ? [] : [this.#fragment(slot, slot, 0)]
    const copies = this.script
      .copiesAfter(slot)
      .map((source, i) => this.#fragment(source, slot, i + 1))
    return [...own, ...copies]
  }

  /** Yields the fragments of the slots that touch [fromMs, toMs] on the producer's undisturbed clock. */
  *between(fromMs: number, toMs: number): Generator<Fragment> {
    for (let slot = this.slots.at(fromMs); this.slots.startMs(slot) <= toMs; slot += 1) {
      yield* this.ingested(slot)
    }
  }

  /** Finds the fragment with this number; undefined if there never was one. */
  find(number: bigint): Fragment | undefined {
    const parts = decodeFragmentNumber(number)
    if (parts === undefined) return undefined
    const from = this.slots.at(parts.serverMs - LONGEST_INGEST_MS)
    for (let slot = this.slots.at(parts.serverMs) + 1; slot >= from; slot -= 1) {
      const found = this.ingested(slot).find((fragment) => fragment.number === number)
      if (found !== undefined) return found
    }
    return undefined
  }

  /** How far back to look for whatever has just become visible. */
  get reachMs(): number {
    return LONGEST_INGEST_MS
  }

  /**
   * Says whether a newer fragment was visible before this one, as far as can be told at `nowMs`. The service never
   * inserts such a fragment into a LIVE list.
   */
  overtaken(fragment: Fragment, nowMs: number): boolean {
    const until = Math.min(fragment.listedAtMs, nowMs + 1)
    for (let slot = fragment.slot + 1; this.slots.endMs(slot) < until; slot += 1) {
      const newer = this.ingested(slot).some(({ listedAtMs, number }) => {
        return number > fragment.number && listedAtMs < until
      })
      if (newer) return true
    }
    return false
  }

  /** Makes a fragment; `content` is the slot whose media it holds, `arrival` the one in which it comes. */
  #fragment(content: number, arrival: number, copy: number): Fragment {
    const timing = this.script.timing(arrival) ?? this.#timing
    const chance = (what: string): number => hashSigned(this.#name + what, arrival, copy)
    const latency = timing.ingestLatencyMs + this.script.backlogMs(arrival)
    const jitter = (timing.ingestJitterMs * (chance('ingest') + 1)) / 2
    // The number is given when the fragment begins to arrive, long before it is complete.
    const serverMs =
      this.slots.startMs(arrival) + latency + Math.round(timing.serverJitterMs * chance('server'))
    return {
      number: encodeFragmentNumber({
        counter: this.script.counter(arrival) + copy,
        serverMs,
        random: hash32(this.#name, arrival, copy) >>> (32 - RANDOM_BITS),
      }),
      slot: content,
      producerMs: this.slots.startMs(content) + this.script.producerShiftMs(content),
      serverMs,
      durationMs: this.slots.durationMs(content),
      listedAtMs:
        this.slots.endMs(arrival) + latency + Math.round(jitter) + this.script.lateByMs(arrival),
      tracks: this.#tracks(content),
      generation: this.script.generation(content),
      content: this.#content(content),
    }
  }

  #content(slot: number): Content {
    return {
      clip: this.slots.clipOf(slot),
      index: this.slots.indexOf(slot),
      pass: this.slots.passOf(slot),
      variant: this.script.variant(slot),
      minBytes: this.script.minBytes(slot),
    }
  }

  #tracks(slot: number): readonly TrackKind[] {
    const { video, audio } = this.slots.clipOf(slot)
    const has = { video: video.length > 0, audio: audio !== undefined }
    const sent = this.script.tracks(slot)
    const all = (['video', 'audio'] as const).filter((kind) => has[kind])
    const some = all.filter((kind) => sent[kind])
    // A producer with nothing else to send sends what it has.
    return some.length > 0 ? some : all
  }
}
