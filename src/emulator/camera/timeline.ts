import type { Clip, RecordedFragment, TrackKind } from '../media/clip.ts'
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
  /** How far back to look for whatever has just become visible. */
  readonly reachMs: number
  readonly #recordedShiftMs: number

  constructor(name: string, clip: Clip, anchorMs: number, timing: Timing) {
    this.#name = name
    this.#timing = timing
    this.slots = new Slots(clip, anchorMs)
    this.script = new Script(this.slots)
    const recorded = clip.recorded?.fragments ?? []
    const greatest = (of: (fragment: RecordedFragment) => number): number =>
      Math.max(
        0,
        ...recorded.map((fragment) => (fragment === undefined ? 0 : Math.abs(of(fragment)))),
      )
    this.reachMs = LONGEST_INGEST_MS + greatest(({ serverMs }) => serverMs)
    this.#recordedShiftMs = greatest(({ producerMs }) => producerMs)
  }

  /** Returns what arrives in a slot, in the order of ingestion: usually one fragment. */
  ingested(slot: number): readonly Fragment[] {
    if (slot < 0 || this.script.stopped(slot) || this.#isGap(slot)) return []
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
    const from = this.slots.at(parts.serverMs - this.reachMs)
    for (let slot = this.slots.at(parts.serverMs) + 1; slot >= from; slot -= 1) {
      const found = this.ingested(slot).find((fragment) => fragment.number === number)
      if (found !== undefined) return found
    }
    return undefined
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
    const recorded = this.#recorded(content)
    const startMs = this.slots.startMs(arrival)
    // The number is given when the fragment begins to arrive, long before it is complete.
    const delayMs =
      recorded?.serverMs ?? latency + Math.round(timing.serverJitterMs * chance('server'))
    const serverMs = startMs + delayMs
    const whole =
      recorded === undefined ? this.slots.endMs(arrival) : serverMs + this.slots.durationMs(arrival)
    return {
      number: encodeFragmentNumber({
        counter: this.#counter(arrival) + copy,
        serverMs,
        random: hash32(this.#name, arrival, copy) >>> (32 - RANDOM_BITS),
      }),
      slot: content,
      producerMs:
        this.slots.startMs(content) +
        (recorded?.producerMs ?? 0) +
        this.#recordedDriftMs(content) +
        this.script.producerShiftMs(content),
      serverMs,
      durationMs: recorded?.lengthMs ?? this.slots.durationMs(content),
      listedAtMs: whole + latency + Math.round(jitter) + this.script.lateByMs(arrival),
      tracks: this.#tracks(content),
      generation: this.script.generation(content),
      content: this.#content(content),
    }
  }

  /** Returns how far fragments that start by `untilMs` are shifted on the producer's clock at most. */
  greatestShiftMs(untilMs: number): number {
    const driftMs = Math.abs(this.#recordedDriftMs(this.slots.at(untilMs)))
    return this.script.greatestShiftMs(untilMs) + this.#recordedShiftMs + driftMs
  }

  #recordedDriftMs(slot: number): number {
    return this.slots.passOf(slot) * (this.slots.clipOf(slot).recorded?.driftMs ?? 0)
  }

  #recorded(slot: number): RecordedFragment | undefined {
    return this.slots.clipOf(slot).recorded?.fragments[this.slots.indexOf(slot)]
  }

  /** Returns the counter part of the slot's number; that of a recording goes on where its loop begins again. */
  #counter(slot: number): number {
    const { recorded } = this.slots.clipOf(slot)
    const own = this.#recorded(slot)
    if (recorded === undefined || own === undefined) return this.script.counter(slot)
    const last = recorded.fragments.findLast((fragment) => fragment !== undefined)?.counter ?? 0
    return 1 + own.counter + this.slots.passOf(slot) * (last + 1)
  }

  #isGap(slot: number): boolean {
    const { recorded } = this.slots.clipOf(slot)
    return recorded !== undefined && this.#recorded(slot) === undefined
  }

  #content(slot: number): Content {
    return {
      clip: this.slots.clipOf(slot),
      index: this.slots.indexOf(slot),
      pass: this.slots.passOf(slot),
      variant: this.script.variant(slot),
      minBytes: Math.max(this.#recorded(slot)?.bytes ?? 0, this.script.minBytes(slot)),
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
