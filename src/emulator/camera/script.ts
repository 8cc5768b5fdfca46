import { loadClip } from '../media/clip.ts'
import type { CameraEvent, CameraEventType, PlacedEvent } from './event.ts'
import { nextConnection } from './fragment-number.ts'
import type { Slots } from './slots.ts'

type EventOf<T extends CameraEventType> = Extract<CameraEvent, { readonly type: T }>
interface Placed<T extends CameraEventType> extends PlacedEvent {
  readonly event: EventOf<T>
}

/** Says that from this slot on the counter is one more with each slot. */
interface CounterMark {
  readonly slot: number
  readonly counter: number
}

const MILLION = 1_000_000

/**
 * How many events there may be, because each changes history's cost a little; a test that needs more wants a new
 * emulator.
 */
const MOST_EVENTS = 10_000

/** Holds everything out of the ordinary that has been ordered for one camera, by fragment. */
export class Script {
  readonly #slots: Slots
  #events: readonly PlacedEvent[] = []
  #byType: ReadonlyMap<CameraEventType, readonly PlacedEvent[]> = new Map()
  #marks: readonly CounterMark[] = []

  constructor(slots: Slots) {
    this.#slots = slots
  }

  get events(): readonly PlacedEvent[] {
    return this.#events
  }

  /** Puts an event in force at `atMs`. Throws RangeError when there are too many. */
  order(event: CameraEvent, atMs: number): PlacedEvent {
    if (this.#events.length >= MOST_EVENTS) throw new RangeError(`over ${MOST_EVENTS} events`)
    const placed = this.#place(event, atMs)
    this.#events = [...this.#events, placed].sort((a, b) => a.atMs - b.atMs)
    if (event.type === 'clip') this.#placeAgain()
    this.#byType = Map.groupBy(this.#events, (each) => each.event.type)
    this.#marks = this.#countConnections()
    return placed
  }

  /**
   * Places all events again, because another clip may have shorter or longer fragments: what comes behind it touches
   * others.
   */
  #placeAgain(): void {
    const ordered = this.#events
    this.#slots.reset()
    this.#events = []
    for (const { event, atMs } of ordered) {
      const placed = this.#place(event, atMs)
      this.#events = [...this.#events, placed]
      if (event.type === 'clip') this.#slots.change(placed.from, loadClip(event.clip))
    }
  }

  #place(event: CameraEvent, atMs: number): PlacedEvent {
    const from = this.#firstSlot(event, atMs)
    const lasting = 'count' in event ? event.count : Number.POSITIVE_INFINITY
    return { event, atMs, from, to: from + lasting }
  }

  #firstSlot({ type }: CameraEvent, atMs: number): number {
    if (type === 'clip') return this.#slots.startingFrom(atMs)
    if (type !== 'stop' && type !== 'resume') return this.#slots.at(atMs)
    const slot = type === 'stop' ? this.#slots.at(atMs) : this.#slots.startingFrom(atMs)
    const previous = this.#events.findLast((placed) => {
      return placed.atMs <= atMs && (placed.event.type === 'stop' || placed.event.type === 'resume')
    })
    // A stop right after a resume must not come to lie before it.
    return Math.max(slot, previous?.from ?? 0)
  }

  /** Says whether the producer was away in this slot. */
  stopped(slot: number): boolean {
    const last = this.#last(slot, 'stop', 'resume')
    return last?.event.type === 'stop'
  }

  dropped(slot: number): boolean {
    const drops = this.#of('drop').filter(touches(slot))
    return (
      drops.some(({ event, from }) => (slot - from) % event.every === 0) ||
      this.#congestions(slot).some((congestion) => this.#backlogMs(congestion, slot) === undefined)
    )
  }

  /** Returns how long after their making the producer's uplink lets fragments arrive, beyond what ingestion takes. */
  backlogMs(slot: number): number {
    return sum(this.#congestions(slot).map((each) => this.#backlogMs(each, slot) ?? 0))
  }

  #congestions(slot: number): readonly Placed<'congested'>[] {
    return this.#of('congested').filter(touches(slot))
  }

  /** Returns how late this one is; undefined where it is thrown away with others that take as long as the backlog. */
  #backlogMs({ event, from }: Placed<'congested'>, slot: number): number | undefined {
    const sent = Math.ceil(event.untilMs / event.growMs)
    const thrownAway = Math.ceil(event.untilMs / Math.max(1, this.#slots.durationMs(from)))
    const phase = (slot - from) % (sent + thrownAway)
    return phase < sent ? phase * event.growMs : undefined
  }

  /** Returns the slots whose fragments arrive once more right after this one's. */
  copiesAfter(slot: number): readonly number[] {
    return this.#of('duplicate')
      .filter(({ event, from, to }) => from + event.lag <= slot && slot < to + event.lag)
      .map(({ event }) => slot - event.lag)
      .filter((source) => !this.stopped(source))
  }

  /** Returns how far the producer's timestamps are off, in milliseconds. */
  producerShiftMs(slot: number): number {
    const skews = this.#of('skew').filter(touches(slot))
    const overlaps = this.#of('overlap').filter(touches(slot))
    return (
      sum(skews.map(({ event }) => event.ms)) -
      sum(overlaps.map(({ event }) => event.ms)) +
      sum(this.#others(slot).map(({ event }) => event.ms)) +
      this.#driftMs(slot)
    )
  }

  /** Returns how far fragments that start by `untilMs` are shifted at most, in either direction. */
  greatestShiftMs(untilMs: number): number {
    const shifts = [...this.#of('skew'), ...this.#of('overlap'), ...this.#of('alternate')]
    const drifts = this.#of('drift').map(({ event, from }) => {
      const lastingMs = Math.max(0, untilMs - this.#slots.startMs(from))
      return Math.ceil((Math.abs(event.ppm) * lastingMs) / MILLION)
    })
    return sum(shifts.map(({ event }) => Math.abs(event.ms))) + sum(drifts)
  }

  #driftMs(slot: number): number {
    const drifts = this.#of('drift').filter(({ from }) => from <= slot)
    const parts = drifts.map(({ event, from }, i) => {
      const until = drifts[i + 1]?.from ?? slot
      return event.ppm * (this.#slots.startMs(until) - this.#slots.startMs(from))
    })
    return Math.round(sum(parts) / MILLION)
  }

  /** Returns the alternations in which it is the other producer's turn. That one has the first turn, too. */
  #others(slot: number): readonly Placed<'alternate'>[] {
    return this.#of('alternate').filter((placed) => {
      return (
        touches(slot)(placed) && Math.floor((slot - placed.from) / placed.event.every) % 2 === 0
      )
    })
  }

  lateByMs(slot: number): number {
    return sum(
      this.#of('late')
        .filter(touches(slot))
        .map(({ event }) => event.ms),
    )
  }

  /** Returns how often the codec private data has changed, for whatever reason. */
  generation(slot: number): number {
    const clips = this.#of('clip').filter(touches(slot)).length
    const turns = this.#of('alternate').map((placed) => turnsUntil(placed, slot))
    return this.#encoderRestarts(slot) + clips + sum(turns)
  }

  /** Returns which codec private data of the clip it is, by turns. */
  variant(slot: number): number {
    return this.#encoderRestarts(slot) + this.#others(slot).length
  }

  #encoderRestarts(slot: number): number {
    const restarts = this.#of('codec-private-data').filter(touches(slot))
    return sum(
      restarts.map(({ event, from }) => {
        return Math.min(event.changes, 1 + Math.floor((slot - from) / event.every))
      }),
    )
  }

  minBytes(slot: number): number {
    return Math.max(
      0,
      ...this.#of('giant')
        .filter(touches(slot))
        .map(({ event }) => event.bytes),
    )
  }

  tracks(slot: number): { readonly video: boolean; readonly audio: boolean } {
    return this.#lastOf(slot, 'tracks') ?? { video: true, audio: true }
  }

  timing(slot: number): EventOf<'timing'> | undefined {
    return this.#lastOf(slot, 'timing')
  }

  /** Returns the counter part of the slot's FragmentNumber. */
  counter(slot: number): number {
    const mark = this.#marks.findLast((candidate) => candidate.slot <= slot)
    return mark === undefined ? slot + 1 : mark.counter + (slot - mark.slot)
  }

  #of<T extends CameraEventType>(type: T): readonly Placed<T>[] {
    const events = this.#byType.get(type) ?? []
    return events.filter((placed): placed is Placed<T> => placed.event.type === type)
  }

  #last(slot: number, ...types: readonly CameraEventType[]): PlacedEvent | undefined {
    return this.#events.findLast(({ event, from }) => types.includes(event.type) && from <= slot)
  }

  #lastOf<T extends CameraEventType>(slot: number, type: T): EventOf<T> | undefined {
    return this.#of(type).findLast(({ from }) => from <= slot)?.event
  }

  /** Counts connections: a copy takes a number of its own; a new connection goes to the next thousand. */
  #countConnections(): readonly CounterMark[] {
    const jumps = new Set(
      [...this.#of('resume').filter(({ from }) => this.stopped(from - 1)), ...this.#of('clip')]
        .map(({ from }) => from)
        .concat(this.#of('reconnect').flatMap(reconnects))
        .concat(this.#of('alternate').flatMap(turnsOf)),
    )
    const copied = this.#of('duplicate').flatMap(({ event, from, to }) =>
      Array.from({ length: to - from }, (_, i) => from + event.lag + i + 1),
    )
    const changes = [...new Set([...jumps, ...copied])].filter((slot) => slot > 0)
    const marks: CounterMark[] = []
    for (const slot of changes.sort((a, b) => a - b)) {
      const last = this.#lastCounter(marks, slot)
      marks.push({ slot, counter: jumps.has(slot) ? nextConnection(last) : last + 1 })
    }
    return marks
  }

  /** Returns the greatest counter given away before `slot`. */
  #lastCounter(marks: readonly CounterMark[], slot: number): number {
    const pause = this.stopped(slot - 1) ? this.#last(slot - 1, 'stop') : undefined
    const previous = (pause?.from ?? slot) - 1
    const mark = marks.at(-1)
    const counter = mark === undefined ? previous + 1 : mark.counter + (previous - mark.slot)
    return Math.max(counter, (mark?.counter ?? 1) - 1) + this.copiesAfter(previous).length
  }
}

/** Returns how often the producers of an alternation have changed by this slot. */
function turnsUntil({ event, from, to }: Placed<'alternate'>, slot: number): number {
  if (slot < from) return 0
  const turns = Math.ceil(event.count / event.every)
  const back = turns % 2 === 1 && slot >= to ? 1 : 0
  return Math.min(turns, 1 + Math.floor((slot - from) / event.every)) + back
}

/** Returns where the producers of an alternation change: the last turn leads back to the first producer. */
function turnsOf({ event, from, to }: Placed<'alternate'>): readonly number[] {
  const turns = Math.ceil(event.count / event.every)
  const starts = Array.from({ length: turns }, (_, i) => from + i * event.every)
  return turns % 2 === 1 ? [...starts, to] : starts
}

function reconnects({ event, from, to }: Placed<'reconnect'>): readonly number[] {
  const times = Math.ceil((to - from) / event.every)
  return Array.from({ length: times }, (_, i) => from + i * event.every)
}

function touches(slot: number): (placed: PlacedEvent) => boolean {
  return ({ from, to }) => from <= slot && slot < to
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0)
}
