import type { Clock } from '../base/clock.ts'
import { GatewayError } from '../base/errors.ts'
import { SingleFlight } from '../base/single-flight.ts'
import type { Cell } from '../metrics/counter.ts'
import { Flight, type FlightPlan } from './flight.ts'
import { completeBody, type FragmentBody } from './fragment-body.ts'
import { type FragmentKey, keyText } from './fragment-key.ts'
import { type FragmentTier, type Hold, readWhole } from './fragment-tier.ts'
import type { MemoryStore } from './memory-store.ts'
import { Tiers } from './tiers.ts'

export interface FragmentCacheOptions {
  readonly clock: Clock
  readonly store: MemoryStore
  /** The tiers behind memory, the nearest first. */
  readonly tiers: readonly FragmentTier[]
  readonly hits: Cell
  readonly misses: Cell
  /** Counts requests that joined a running fetch. */
  readonly coalesced: Cell
  /** How long a fetch may take. Default 15 s. */
  readonly flightTimeoutMs?: number
  /**
   * How many fetches may run. Default 256: beyond it a miss is refused, because its fetch would only wait for quota.
   */
  readonly maxFlights?: number
}

export interface FetchPlan extends FlightPlan {
  /** What the bytes are promised once they are here. */
  readonly hold: Hold
}

export interface Stored {
  readonly key: FragmentKey
  readonly bytes: Buffer
}

/** One of those that are fetched in one go, as the tracks of a fragment are. */
export interface Opened {
  readonly key: FragmentKey
  readonly plan: FetchPlan
  /** Called when nobody will ask the plan's source for anything. */
  readonly abandon?: () => void
}

/**
 * Finds fragments wherever they are: in memory, in the tiers behind it, or upstream. Simultaneous misses of one key
 * share one fetch, whose bytes reach all who wait while they arrive (G8).
 */
export class FragmentCache {
  readonly #options: FragmentCacheOptions
  /** The running fetches, by key. */
  readonly #flights = new Map<string, Flight>()
  readonly #openings = new SingleFlight<ReadonlyMap<string, Flight>>()
  readonly #opening = new Set<string>()
  readonly #derivations = new SingleFlight<Buffer>()
  readonly #reads = new SingleFlight<Buffer | undefined>()
  readonly #tiers: Tiers

  constructor(options: FragmentCacheOptions) {
    this.#options = options
    this.#tiers = new Tiers(options.clock, options.tiers)
  }

  /** How many fetches are running. */
  get flights(): number {
    return this.#flights.size
  }

  /** Finds what is in memory or on its way. A body on its way is read until `signal` aborts. */
  find(key: FragmentKey, signal: AbortSignal): FragmentBody | undefined {
    const { store, hits, coalesced } = this.#options
    const bytes = store.get(key)
    if (bytes !== undefined) {
      hits.value += 1
      return completeBody(bytes)
    }
    const flight = this.#flights.get(keyText(key))
    if (flight === undefined || flight.cancelled) return undefined
    coalesced.value += 1
    return flight.join('collapsed', signal)
  }

  /** Finds what is in memory, whole. */
  held(key: FragmentKey): FragmentBody | undefined {
    const bytes = this.#options.store.get(key)
    return bytes && completeBody(bytes)
  }

  /**
   * Finds a fragment as {@link find} does, and else takes it from a tier or by the plan.
   * @throws GatewayError `overloaded` when there is no room in memory or too much is being fetched
   */
  fetch(key: FragmentKey, plan: FetchPlan, signal: AbortSignal): FragmentBody {
    const here = this.find(key, signal)
    if (here !== undefined) return here
    const flight = this.#start(key, this.#withTiers(key, plan))
    this.#options.misses.value += 1
    return flight.join('miss', signal)
  }

  /**
   * Fetches as {@link fetch} does what comes with others, and whose size is not known before upstream has begun to
   * answer: `open` tells of all that comes, once for all who ask for any of it meanwhile.
   * @param group names what is opened
   * @throws GatewayError `segment_gone` when it is not among what came; what `open` throws
   */
  async open(
    key: FragmentKey,
    group: string,
    open: (signal: AbortSignal) => Promise<readonly Opened[]>,
    signal: AbortSignal,
  ): Promise<FragmentBody> {
    const here = this.find(key, signal) ?? (await this.#saved(key, signal))
    if (here !== undefined) return here
    const joins = this.#opening.has(group)
    if (joins) this.#options.coalesced.value += 1
    else this.#checkRoom()
    if (!joins) this.#options.misses.value += 1
    const flights = await this.#openings.run(group, signal, async (limited) => {
      this.#opening.add(group)
      try {
        return this.#startAll(await open(limited))
      } finally {
        this.#opening.delete(group)
      }
    })
    const flight = flights.get(keyText(key))
    if (flight === undefined) {
      throw new GatewayError('segment_gone', 'The fragment has no such track any more')
    }
    return flight.join(joins ? 'collapsed' : 'miss', signal)
  }

  /**
   * Makes another form of a fragment with `make`, once, and keeps it as what can be made again.
   * @param source the whole body that it is made of
   * @throws what `source` and `make` throw
   */
  async derive(
    key: FragmentKey,
    source: (signal: AbortSignal) => Promise<FragmentBody>,
    make: (bytes: Buffer) => Buffer,
    signal: AbortSignal,
  ): Promise<FragmentBody> {
    const here = this.find(key, signal) ?? (await this.#saved(key, signal))
    if (here !== undefined) return here
    let origin: FragmentBody['origin'] = 'collapsed'
    const bytes = await this.#derivations.run(keyText(key), signal, async (limited) => {
      const body = await source(limited)
      origin = body.origin
      await body.more(body.size - 1, limited)
      return this.#keep(key, make(body.bytes))
    })
    return { ...completeBody(bytes), origin }
  }

  /**
   * Keeps all of these or none, in memory and in the tiers. Resolves once they would be found after a crash,
   * or each tier has refused them or hangs.
   * @throws GatewayError `overloaded` when there is no room in memory
   */
  async put(fragments: readonly Stored[], hold: Hold): Promise<void> {
    const { store } = this.#options
    try {
      for (const { key, bytes } of fragments) store.put(key, bytes, hold)
    } catch (error) {
      for (const { key } of fragments) store.delete(key)
      throw error
    }
    await Promise.all(fragments.map(({ key, bytes }) => this.#tiers.put(key, bytes, hold)))
  }

  /** Changes what is promised for bytes in memory. Unknown keys are ignored. */
  hold(key: FragmentKey, hold: Hold): void {
    this.#options.store.hold(key, hold)
  }

  /** Drops a fragment that nobody may ask for any more. */
  delete(key: FragmentKey): void {
    this.#options.store.delete(key)
    void this.#tiers.delete(key)
  }

  #startAll(opened: readonly Opened[]): ReadonlyMap<string, Flight> {
    const flights = new Map<string, Flight>()
    for (const [i, { key, plan, abandon }] of opened.entries()) {
      const known = this.#flights.get(keyText(key))
      const isFlying = known !== undefined && !known.cancelled
      if (isFlying) abandon?.()
      try {
        flights.set(keyText(key), isFlying ? known : this.#startKept(key, plan))
      } catch (error) {
        for (const left of opened.slice(i)) left.abandon?.()
        throw error
      }
    }
    return flights
  }

  /** Starts to fetch from upstream what is to be kept. */
  #startKept(key: FragmentKey, plan: FetchPlan): Flight {
    const flight = this.#start(key, plan)
    flight.done.then(
      (bytes) => this.#tiers.put(key, bytes, plan.hold),
      () => {},
    )
    return flight
  }

  #start(key: FragmentKey, plan: FetchPlan): Flight {
    const { clock, store, flightTimeoutMs = 15_000 } = this.#options
    this.#checkRoom()
    const text = keyText(key)
    const room = store.reserve(plan.size)
    const flight = new Flight(plan, { clock, timeoutMs: flightTimeoutMs })
    this.#flights.set(text, flight)
    const landed = (): void => {
      if (this.#flights.get(text) === flight) this.#flights.delete(text)
      room.release()
    }
    flight.done.then((bytes) => room.fill(key, bytes, plan.hold)).then(landed, landed)
    return flight
  }

  /** Returns a plan that takes a tier's bytes rather than upstream's, as far as it has them. */
  #withTiers(key: FragmentKey, plan: FetchPlan): FetchPlan {
    const tiers = this.#tiers
    const source = async function* (offset: number, signal: AbortSignal): AsyncGenerator<Buffer> {
      const saved = await tiers.get(key, signal)
      let at = offset
      for await (const chunk of saved?.from(offset, signal) ?? []) {
        at += chunk.length
        yield chunk
      }
      if (at < plan.size) yield* plan.source(at, signal)
    }
    return { ...plan, source }
  }

  #checkRoom(): void {
    const { maxFlights = 256 } = this.#options
    if (this.#flights.size + this.#opening.size < maxFlights) return
    throw new GatewayError('overloaded', 'Too many fragments are being fetched', {
      retryAfterMs: 1000,
    })
  }

  /** Returns what a tier has, whole. */
  async #saved(key: FragmentKey, signal: AbortSignal): Promise<FragmentBody | undefined> {
    const bytes = await this.#reads.run(keyText(key), signal, async (limited) => {
      const saved = await this.#tiers.get(key, limited)
      const whole = saved === undefined ? undefined : await readWhole(saved, limited)
      return whole === undefined ? undefined : this.#toMemory(key, whole)
    })
    return bytes === undefined ? undefined : { ...completeBody(bytes), origin: 'miss' }
  }

  /** Keeps what was made of what is here anyhow, so that in the tier it takes only room that is left. */
  #keep(key: FragmentKey, bytes: Buffer): Buffer {
    void this.#tiers.put(key, bytes, 'spare')
    return this.#toMemory(key, bytes)
  }

  /** Keeps it in memory if there is room, because a memory that is too full for it is no reason not to serve it. */
  #toMemory(key: FragmentKey, bytes: Buffer): Buffer {
    const { store } = this.#options
    try {
      store.put(key, bytes, 'none')
    } catch (error) {
      if (!(error instanceof GatewayError)) throw error
    }
    return store.get(key) ?? bytes
  }
}
