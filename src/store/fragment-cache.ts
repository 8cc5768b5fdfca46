import type { Clock } from '../base/clock.ts'
import { GatewayError } from '../base/errors.ts'
import type { Cell } from '../metrics/counter.ts'
import { Flight, type FlightPlan } from './flight.ts'
import { completeBody, type FragmentBody } from './fragment-body.ts'
import type { FragmentKey } from './fragment-key.ts'
import type { Hold } from './fragment-store.ts'
import type { MemoryStore } from './memory-store.ts'

export interface FragmentCacheOptions {
  readonly clock: Clock
  readonly store: MemoryStore
  readonly hits: Cell
  readonly misses: Cell
  /** Requests that joined a running fetch. */
  readonly coalesced: Cell
  /** Default 15 s. */
  readonly flightTimeoutMs?: number
  /** Default 256: beyond it a miss is refused, as its fetch would only wait for quota. */
  readonly maxFlights?: number
}

export interface FetchPlan extends FlightPlan {
  /** What the bytes are promised once they are here. */
  readonly hold: Hold
}

/** The store with a way to fill it: simultaneous misses of one key share one fetch (G8). */
export class FragmentCache {
  readonly #options: FragmentCacheOptions
  readonly #flights = new Map<FragmentKey, Flight>()

  constructor(options: FragmentCacheOptions) {
    this.#options = options
  }

  /** How many fetches are running. */
  get flights(): number {
    return this.#flights.size
  }

  /** What is here or on its way. A body on its way is read until `signal` aborts. */
  find(key: FragmentKey, signal: AbortSignal): FragmentBody | undefined {
    const { store, hits, coalesced } = this.#options
    const bytes = store.get(key)
    if (bytes !== undefined) {
      hits.value += 1
      return completeBody(bytes)
    }
    const flight = this.#flights.get(key)
    if (flight === undefined || flight.cancelled) return undefined
    coalesced.value += 1
    return flight.join('collapsed', signal)
  }

  /**
   * As {@link find}, and else fetches.
   * @throws GatewayError `overloaded` when there is no room in memory or too much is being fetched
   */
  fetch(key: FragmentKey, plan: FetchPlan, signal: AbortSignal): FragmentBody {
    return this.find(key, signal) ?? this.#start(key, plan).join('miss', signal)
  }

  #start(key: FragmentKey, plan: FetchPlan): Flight {
    const { clock, store, misses, flightTimeoutMs = 15_000, maxFlights = 256 } = this.#options
    if (this.#flights.size >= maxFlights) {
      throw new GatewayError('overloaded', 'Too many fragments are being fetched', {
        retryAfterMs: 1000,
      })
    }
    const room = store.reserve(plan.size)
    misses.value += 1
    const flight = new Flight(plan, { clock, timeoutMs: flightTimeoutMs })
    this.#flights.set(key, flight)
    const landed = (): void => {
      if (this.#flights.get(key) === flight) this.#flights.delete(key)
      room.release()
    }
    flight.done.then((bytes) => room.fill(key, bytes, plan.hold)).then(landed, landed)
    return flight
  }
}
