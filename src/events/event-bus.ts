import type { Clock } from '../base/clock.ts'
import type { EventType } from '../base/event-types.ts'
import type { Log } from '../base/log.ts'
import type { Counter } from '../metrics/counter.ts'
import type { EventData, GatewayEvent } from './gateway-event.ts'

export interface EventBusOptions {
  readonly clock: Clock
  readonly log: Log
  /** Who tells: a URI reference that stays the same from start to start. */
  readonly source: string
  /** A name of this process's life that no other has, of letters and digits. */
  readonly life: string
  /** How many events happened, by type. */
  readonly happened: Counter<'type'>
  /** How many events are kept for who asks later. Default 1,000. */
  readonly kept?: number
}

export type Listener = (event: GatewayEvent) => void

/** Events that happened after one that somebody has seen. */
export interface Later {
  readonly events: readonly GatewayEvent[]
  /** How many are missing before these; null where nobody knows, because this process has not seen that event. */
  readonly missed: number | null
}

const KEPT = 1_000

/**
 * Tells whoever listens what happened, and keeps the newest events. Telling is synchronous, never throws and waits for
 * nobody: the way of media must not notice it.
 */
export class EventBus {
  readonly #options: EventBusOptions
  readonly #listeners = new Set<Listener>()
  /** The newest events, the one of number n at n modulo the size. */
  readonly #ring: GatewayEvent[] = []
  #count = 0

  constructor(options: EventBusOptions) {
    this.#options = options
  }

  /** Tells that something happened, to a stream or node if there is a subject. */
  emit<T extends EventType>(type: T, data: EventData[T], subject?: string): void {
    const { clock, source, happened } = this.#options
    this.#count += 1
    const event: GatewayEvent = Object.freeze({
      specversion: '1.0',
      id: this.latestId,
      source,
      type,
      ...(subject === undefined ? {} : { subject }),
      time: new Date(clock.date()).toISOString(),
      datacontenttype: 'application/json',
      data: Object.freeze({ ...data }),
    })
    this.#ring[this.#count % this.#size] = event
    happened.add({ type })
    for (const listener of this.#listeners) this.#tell(listener, event)
  }

  /** The id of the newest event; what it would be before the first one. */
  get latestId(): string {
    return `${this.#options.life}-${this.#count}`
  }

  /** Calls the listener at each event from now on, until what is returned is called. */
  listen(listener: Listener): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  /** Returns the newest events, oldest first. */
  recent(): readonly GatewayEvent[] {
    return this.#from(this.#oldest)
  }

  /** Returns what happened after the event of that id, as far as it is kept. */
  after(id: string): Later {
    const seen = this.#numberOf(id)
    if (seen === undefined) return { events: this.recent(), missed: null }
    const first = Math.max(seen + 1, this.#oldest)
    return { events: this.#from(first), missed: first - seen - 1 }
  }

  get #size(): number {
    return this.#options.kept ?? KEPT
  }

  /** The number of the oldest event that is kept. */
  get #oldest(): number {
    return Math.max(1, this.#count - this.#size + 1)
  }

  #from(first: number): readonly GatewayEvent[] {
    return Array.from(
      { length: this.#count - first + 1 },
      (_, i) => this.#ring[(first + i) % this.#size],
    ).filter((event) => event !== undefined)
  }

  /** Returns the number in an id of this life; undefined for any other text. */
  #numberOf(id: string): number | undefined {
    const [life, digits = ''] = id.split('-')
    if (life !== this.#options.life || !/^\d{1,15}$/.test(digits)) return undefined
    const number = Number(digits)
    return number <= this.#count ? number : undefined
  }

  #tell(listener: Listener, event: GatewayEvent): void {
    try {
      listener(event)
    } catch (error) {
      this.#options.log.error('an event could not be told', { type: event.type, error })
    }
  }
}
