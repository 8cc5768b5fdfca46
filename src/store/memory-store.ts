import type { Clock } from '../base/clock.ts'
import { GatewayError } from '../base/errors.ts'
import { ownMemory } from '../base/own-memory.ts'
import { type FragmentKey, keyText } from './fragment-key.ts'
import type { Hold } from './fragment-tier.ts'

/** What somebody was promised. */
interface Promised {
  readonly bytes: Buffer
  readonly hold: Exclude<Hold, 'none' | 'spare'>
}

/** Room taken before the bytes are there, so that what is being fetched counts too (G18). */
export interface Reservation {
  /** Turns the room into an entry. */
  fill(key: FragmentKey, bytes: Buffer, hold: Hold): void
  /** Gives the room back; after {@link fill}, or twice, it does nothing. */
  release(): void
}

export interface MemoryStoreStats {
  /** The size of entries and reservations together: never more than `maxBytes`. */
  readonly bytes: number
  readonly maxBytes: number
  readonly entries: number
  readonly evictions: number
  /** How many evictions broke a promise, because `cache.maxBytes` is too small for what is listed. */
  readonly brokenHolds: number
}

/**
 * How long what has expired may stay all the same, because graces end with every fragment of every stream, and to drop
 * them means to look through what is promised to all.
 */
const LOOK_MS = 1_000

/**
 * Keeps fragment bytes in memory, never more than `maxBytes` with what is on its way in.
 *
 * Invariants: a key's bytes never change; `#used` is the sum of all entries and open reservations; an entry that
 * leaves, for whatever reason, is told to the listeners, who let go of its bytes.
 *
 * Who goes first: what is spare, then what nobody was promised, least recently used first; then what left its playlist,
 * by the end of its grace; and only then the oldest of what is listed, which is fetched again on demand.
 */
export class MemoryStore {
  readonly #clock: Clock
  readonly #maxBytes: number
  /** What is spare, by key as all of these, in order of arrival. */
  readonly #spare = new Map<string, Buffer>()
  /**
   * What has no hold, least recently used first. It may be hours of DVR, so whatever is done per fragment must not look
   * through it.
   */
  readonly #free = new Map<string, Buffer>()
  /** What is promised, in order of arrival. */
  readonly #promised = new Map<string, Promised>()
  readonly #listeners = new Set<(bytes: Buffer) => void>()
  #used = 0
  /** How much of that is on its way in. */
  #reserved = 0
  #nextExpiryMs = Number.POSITIVE_INFINITY
  /** When it was last looked for what had expired. */
  #lookedMs = Number.NEGATIVE_INFINITY
  #evictions = 0
  #brokenHolds = 0

  constructor({ clock, maxBytes }: { readonly clock: Clock; readonly maxBytes: number }) {
    this.#clock = clock
    this.#maxBytes = maxBytes
  }

  /** Finds the bytes of a key, to which nobody may write. */
  get(key: FragmentKey): Buffer | undefined {
    const text = keyText(key)
    const bytes = this.#spare.get(text) ?? this.#free.get(text)
    if (bytes === undefined) return this.#promised.get(text)?.bytes
    this.#spare.delete(text)
    this.#free.delete(text)
    this.#free.set(text, bytes)
    return bytes
  }

  /**
   * Keeps bytes.
   * @throws GatewayError `overloaded` when there is no room that could be made
   */
  put(key: FragmentKey, bytes: Buffer, hold: Hold): void {
    if (hold === 'spare') this.#putSpare(keyText(key), bytes)
    else if (this.#has(keyText(key))) this.hold(key, hold)
    else this.reserve(bytes.length).fill(key, bytes, hold)
  }

  /** Changes the promise, as when a segment leaves the playlist; unknown keys are ignored. */
  hold(key: FragmentKey, hold: Hold): void {
    const text = keyText(key)
    // Asked for all that is listed, whenever something is.
    if (hold === 'listed' && this.#promised.get(text)?.hold === hold) return
    const bytes = this.#find(text)
    if (bytes !== undefined) this.#set(text, bytes, hold)
  }

  delete(key: FragmentKey): void {
    this.#delete(keyText(key))
  }

  #delete(key: string): void {
    const bytes = this.#find(key)
    if (bytes === undefined) return
    this.#spare.delete(key)
    this.#free.delete(key)
    this.#promised.delete(key)
    this.#used -= bytes.length
    for (const tell of this.#listeners) tell(bytes)
  }

  /**
   * Reserves room.
   * @throws GatewayError `overloaded` when even an empty cache would not hold it beside what is being fetched
   */
  reserve(bytes: number): Reservation {
    if (bytes > this.#maxBytes) throw tooBig(bytes, this.#maxBytes)
    const reservation = this.#tryReserve(bytes)
    if (reservation !== undefined) return reservation
    throw new GatewayError('overloaded', 'The fragment cache is full of what is being fetched', {
      retryAfterMs: 1000,
    })
  }

  /**
   * Reserves room for what can also come later: half of the cache is left for what is here, unless it would not even
   * fit alone.
   * @returns undefined while there is none
   * @throws GatewayError `overloaded` when it is bigger than the cache
   */
  reserveSpare(bytes: number): Reservation | undefined {
    if (bytes > this.#maxBytes) throw tooBig(bytes, this.#maxBytes)
    const isSpare = this.#reserved === 0 || this.#reserved + bytes <= this.#maxBytes / 2
    return isSpare ? this.#tryReserve(bytes) : undefined
  }

  #tryReserve(bytes: number): Reservation | undefined {
    this.#dropExpired()
    while (this.#used + bytes > this.#maxBytes && this.#size > 0) this.#evictOne()
    return this.#used + bytes > this.#maxBytes ? undefined : this.#reservation(bytes)
  }

  /**
   * Calls `listener` whenever bytes leave the store, because a reader that still sends them would keep them in memory.
   */
  onEvict(listener: (bytes: Buffer) => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  stats(): MemoryStoreStats {
    return {
      bytes: this.#used,
      maxBytes: this.#maxBytes,
      entries: this.#size,
      evictions: this.#evictions,
      brokenHolds: this.#brokenHolds,
    }
  }

  #reservation(room: number): Reservation {
    this.#used += room
    this.#reserved += room
    let open = true
    const release = (): void => {
      if (!open) return
      open = false
      this.#used -= room
      this.#reserved -= room
    }
    const fill = (key: FragmentKey, bytes: Buffer, hold: Hold): void => {
      if (!open || bytes.length > room) {
        throw new RangeError(`${bytes.length} bytes for a reservation of ${open ? room : 0}`)
      }
      release()
      this.#insert(keyText(key), bytes, hold)
    }
    return { fill, release }
  }

  #insert(key: string, bytes: Buffer, hold: Hold): void {
    // Two who fetched the same: the same key is the same bytes, so the first stays with its readers.
    const known = this.#find(key)
    if (known !== undefined) {
      this.#set(key, known, hold)
      return
    }
    this.#set(key, ownMemory(bytes), hold)
    this.#used += bytes.length
  }

  #putSpare(key: string, bytes: Buffer): void {
    if (bytes.length > this.#maxBytes) throw tooBig(bytes.length, this.#maxBytes)
    this.#dropExpired()
    if (!this.#has(key) && this.#used + bytes.length <= this.#maxBytes) {
      this.#insert(key, bytes, 'spare')
    }
  }

  /** Keeps bytes under their promise; one that changes keeps its place in the order of arrival. */
  #set(key: string, bytes: Buffer, hold: Hold): void {
    this.#spare.delete(key)
    if (hold === 'spare') {
      this.#free.delete(key)
      this.#promised.delete(key)
      this.#spare.set(key, bytes)
      return
    }
    if (hold === 'none') {
      this.#promised.delete(key)
      // What has only now lost its promise is not what was used least recently.
      if (!this.#free.has(key)) this.#free.set(key, bytes)
      return
    }
    this.#free.delete(key)
    this.#promised.set(key, { bytes, hold })
    this.#noteExpiry(hold)
  }

  #has(key: string): boolean {
    return this.#find(key) !== undefined
  }

  #find(key: string): Buffer | undefined {
    return this.#spare.get(key) ?? this.#free.get(key) ?? this.#promised.get(key)?.bytes
  }

  get #size(): number {
    return this.#spare.size + this.#free.size + this.#promised.size
  }

  #evictOne(): void {
    const [spare] = this.#spare.keys()
    const [idle] = this.#free.keys()
    const victim = spare ?? idle ?? this.#leastPromised()
    if (victim === undefined) return
    const promised = this.#promised.get(victim)
    this.#evictions += 1
    if (promised !== undefined && promiseOf(promised) > this.#clock.now()) this.#brokenHolds += 1
    this.#delete(victim)
  }

  #leastPromised(): string | undefined {
    let victim: string | undefined
    let lowest = Number.POSITIVE_INFINITY
    for (const [key, promised] of this.#promised) {
      const untilMs = promiseOf(promised)
      if (victim === undefined || untilMs < lowest) [victim, lowest] = [key, untilMs]
    }
    return victim
  }

  /**
   * Gives back the memory of fragments whose grace is over, because nobody may ask for them any more, unless they may
   * stay.
   */
  #dropExpired(): void {
    const now = this.#clock.now()
    if (now < this.#nextExpiryMs || now < this.#lookedMs + LOOK_MS) return
    this.#nextExpiryMs = Number.POSITIVE_INFINITY
    this.#lookedMs = now
    for (const [key, promised] of this.#promised) {
      const { bytes, hold } = promised
      if (promiseOf(promised) > now) this.#noteExpiry(hold)
      else if (hold !== 'listed' && hold.after === 'none') this.#set(key, bytes, 'none')
      else this.#delete(key)
    }
  }

  #noteExpiry(hold: Hold): void {
    if (typeof hold === 'object') this.#nextExpiryMs = Math.min(this.#nextExpiryMs, hold.untilMs)
  }
}

/** Says that it is too big, before anything makes way for it in vain. */
function tooBig(bytes: number, maxBytes: number): GatewayError {
  const cause = new RangeError(
    `${bytes} bytes do not fit into cache.maxBytes, which is ${maxBytes}`,
  )
  return new GatewayError('overloaded', 'The fragment is bigger than the whole fragment cache', {
    retryAfterMs: 1000,
    cause,
  })
}

/** Returns until when the bytes are promised, in ms since 1970. */
function promiseOf({ hold }: Promised): number {
  return hold === 'listed' ? Number.POSITIVE_INFINITY : hold.untilMs
}
