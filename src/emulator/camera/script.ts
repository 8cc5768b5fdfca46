import type { CameraEvent, CameraEventType, PlacedEvent } from './event.ts'
import { nextConnection } from './fragment-number.ts'
import type { Slots } from './slots.ts'

type EventOf<T extends CameraEventType> = Extract<CameraEvent, { readonly type: T }>
interface Placed<T extends CameraEventType> extends PlacedEvent {
  readonly event: EventOf<T>
}

/** From this slot on, the counter is one more with each slot. */
interface CounterMark {
  readonly slot: number
  readonly counter: number
}

/** Each event changes history's cost a little; a test that needs more wants a new emulator. */
const MOST_EVENTS = 10_000

/** Everything out of the ordinary that has been ordered for one camera, by fragment. */
export class Script {
  readonly #slots: Slots
  #events: readonly PlacedEvent[] = []
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
    const from = this.#firstSlot(event, atMs)
    const lasting = 'count' in event ? event.count : Number.POSITIVE_INFINITY
    const placed = { event, atMs, from, to: from + lasting }
    this.#events = [...this.#events, placed].sort((a, b) => a.atMs - b.atMs)
    this.#marks = this.#countConnections()
    return placed
  }

  #firstSlot({ type }: CameraEvent, atMs: number): number {
    if (type !== 'stop' && type !== 'resume') return this.#slots.at(atMs)
    const slot = type === 'stop' ? this.#slots.at(atMs) : this.#slots.startingFrom(atMs)
    const previous = this.#events.findLast((placed) => {
      return placed.atMs <= atMs && (placed.event.type === 'stop' || placed.event.type === 'resume')
    })
    // A stop right after a resume must not come to lie before it.
    return Math.max(slot, previous?.from ?? 0)
  }

  /** Whether the producer was away in this slot. */
  stopped(slot: number): boolean {
    const last = this.#last(slot, 'stop', 'resume')
    return last?.event.type === 'stop'
  }

  dropped(slot: number): boolean {
    return this.#of('drop').some(touches(slot))
  }

  /** Slots whose fragments arrive once more right after this one's. */
  copiesAfter(slot: number): readonly number[] {
    return this.#of('duplicate')
      .filter(({ event, from, to }) => from + event.lag <= slot && slot < to + event.lag)
      .map(({ event }) => slot - event.lag)
      .filter((source) => !this.stopped(source))
  }

  /** How far the producer's timestamps are off, in milliseconds. */
  producerShiftMs(slot: number): number {
    const skews = this.#of('skew').filter(touches(slot))
    const overlaps = this.#of('overlap').filter(touches(slot))
    return sum(skews.map(({ event }) => event.ms)) - sum(overlaps.map(({ event }) => event.ms))
  }

  /** The largest shift in either direction that any fragment has. */
  get greatestShiftMs(): number {
    const shifts = [...this.#of('skew'), ...this.#of('overlap')]
    return sum(shifts.map(({ event }) => Math.abs(event.ms)))
  }

  lateByMs(slot: number): number {
    return sum(
      this.#of('late')
        .filter(touches(slot))
        .map(({ event }) => event.ms),
    )
  }

  /** How often the codec private data has changed. */
  generation(slot: number): number {
    return this.#of('codec-private-data').filter(touches(slot)).length
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

  /** The counter part of the slot's FragmentNumber. */
  counter(slot: number): number {
    const mark = this.#marks.findLast((candidate) => candidate.slot <= slot)
    return mark === undefined ? slot + 1 : mark.counter + (slot - mark.slot)
  }

  #of<T extends CameraEventType>(type: T): readonly Placed<T>[] {
    return this.#events.filter((placed): placed is Placed<T> => placed.event.type === type)
  }

  #last(slot: number, ...types: readonly CameraEventType[]): PlacedEvent | undefined {
    return this.#events.findLast(({ event, from }) => types.includes(event.type) && from <= slot)
  }

  #lastOf<T extends CameraEventType>(slot: number, type: T): EventOf<T> | undefined {
    return this.#of(type).findLast(({ from }) => from <= slot)?.event
  }

  /** A copy takes a number of its own; a new connection goes to the next thousand. */
  #countConnections(): readonly CounterMark[] {
    const jumps = new Set(
      this.#events.filter(isConnection).map(({ event, from }) => {
        return event.type === 'resume' && !this.stopped(from - 1) ? -1 : from
      }),
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

  /** The greatest counter given away before `slot`. */
  #lastCounter(marks: readonly CounterMark[], slot: number): number {
    const pause = this.stopped(slot - 1) ? this.#last(slot - 1, 'stop') : undefined
    const previous = (pause?.from ?? slot) - 1
    const mark = marks.at(-1)
    const counter = mark === undefined ? previous + 1 : mark.counter + (previous - mark.slot)
    return Math.max(counter, (mark?.counter ?? 1) - 1) + this.copiesAfter(previous).length
  }
}

function isConnection({ event }: PlacedEvent): boolean {
  return event.type === 'resume' || event.type === 'reconnect'
}

function touches(slot: number): (placed: PlacedEvent) => boolean {
  return ({ from, to }) => from <= slot && slot < to
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0)
}
