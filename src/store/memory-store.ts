import type { Clock } from '../base/clock.ts'
import { GatewayError } from '../base/errors.ts'
import type { FragmentKey } from './fragment-key.ts'
import type { FragmentStore, Hold } from './fragment-store.ts'

interface Entry {
  readonly bytes: Buffer
  hold: Hold
}

/** Room taken before the bytes are there, so that what is being fetched counts too (G18). */
export interface Reservation {
  /** Turns the room into an entry. */
  fill(key: FragmentKey, bytes: Buffer, hold: Hold): void
  /** Gives the room back; after {@link fill}, or twice, it does nothing. */
  release(): void
}

export interface MemoryStoreStats {
  /** Entries and reservations together: never more than `maxBytes`. */
  readonly bytes: number
  readonly maxBytes: number
  readonly entries: number
  readonly evictions: number
  /** Evictions that broke a promise: `cache.maxBytes` is too small for what is listed. */
  readonly brokenHolds: number
}

/**
 * Fragment bytes in memory, never more than `maxBytes` with what is on its way in.
 *
 * Invariants: a key's bytes never change; `#used` is the sum of all entries and open reservations; an
 * entry that leaves, for whatever reason, is told to the listeners, who let go of its bytes.
 *
 * Who goes first: what nobody was promised, least recently used first; then what left its playlist, by
 * the end of its grace; and only then the oldest of what is listed, which is fetched again on demand.
 */
export class MemoryStore implements FragmentStore {
  readonly #clock: Clock
  readonly #maxBytes: number
  /** In order of use for entries without a hold, in order of arrival for the others. */
  readonly #entries = new Map<FragmentKey, Entry>()
  readonly #listeners = new Set<(bytes: Buffer) => void>()
  #used = 0
  #nextExpiryMs = Number.POSITIVE_INFINITY
  #evictions = 0
  #brokenHolds = 0

  constructor({ clock, maxBytes }: { readonly clock: Clock; readonly maxBytes: number }) {
    this.#clock = clock
    this.#maxBytes = maxBytes
  }

  get(key: FragmentKey): Buffer | undefined {
    const entry = this.#entries.get(key)
    if (entry?.hold === 'none') this.#moveToEnd(key, entry)
    return entry?.bytes
  }

  put(key: FragmentKey, bytes: Buffer, hold: Hold): void {
    if (this.#entries.has(key)) this.hold(key, hold)
    else this.reserve(bytes.length).fill(key, bytes, hold)
  }

  hold(key: FragmentKey, hold: Hold): void {
    const entry = this.#entries.get(key)
    if (entry === undefined) return
    entry.hold = hold
    this.#noteExpiry(hold)
  }

  delete(key: FragmentKey): void {
    const entry = this.#entries.get(key)
    if (entry === undefined) return
    this.#entries.delete(key)
    this.#used -= entry.bytes.length
    for (const tell of this.#listeners) tell(entry.bytes)
  }

  /** @throws GatewayError `overloaded` when even an empty cache would not hold it beside what is being fetched */
  reserve(bytes: number): Reservation {
    if (bytes > this.#maxBytes) throw tooBig(bytes, this.#maxBytes)
    this.#dropExpired()
    while (this.#used + bytes > this.#maxBytes && this.#entries.size > 0) this.#evictOne()
    if (this.#used + bytes > this.#maxBytes) {
      throw new GatewayError('overloaded', 'The fragment cache is full of what is being fetched', {
        retryAfterMs: 1000,
      })
    }
    return this.#reservation(bytes)
  }

  /** Tells whenever bytes leave the store. A reader that still sends them would keep them in memory. */
  onEvict(listener: (bytes: Buffer) => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  stats(): MemoryStoreStats {
    return {
      bytes: this.#used,
      maxBytes: this.#maxBytes,
      entries: this.#entries.size,
      evictions: this.#evictions,
      brokenHolds: this.#brokenHolds,
    }
  }

  #reservation(room: number): Reservation {
    this.#used += room
    let open = true
    const release = (): void => {
      if (open) this.#used -= room
      open = false
    }
    const fill = (key: FragmentKey, bytes: Buffer, hold: Hold): void => {
      if (!open || bytes.length > room) {
        throw new RangeError(`${bytes.length} bytes for a reservation of ${open ? room : 0}`)
      }
      release()
      this.#insert(key, bytes, hold)
    }
    return { fill, release }
  }

  #insert(key: FragmentKey, bytes: Buffer, hold: Hold): void {
    // Two who fetched the same: the same key is the same bytes, so the first stays with its readers.
    if (this.#entries.has(key)) {
      this.hold(key, hold)
      return
    }
    this.#entries.set(key, { bytes: ownMemory(bytes), hold })
    this.#used += bytes.length
    this.#noteExpiry(hold)
  }

  #evictOne(): void {
    let victim: FragmentKey | undefined
    let lowest = Number.POSITIVE_INFINITY
    for (const [key, { hold }] of this.#entries) {
      const worth = promise(hold)
      if (victim === undefined || worth < lowest) [victim, lowest] = [key, worth]
    }
    if (victim === undefined) return
    this.#evictions += 1
    if (lowest > this.#clock.now()) this.#brokenHolds += 1
    this.delete(victim)
  }

  /** Once its grace is over nobody may ask for a fragment any more: its memory goes back at once. */
  #dropExpired(): void {
    const now = this.#clock.now()
    if (now < this.#nextExpiryMs) return
    this.#nextExpiryMs = Number.POSITIVE_INFINITY
    for (const [key, { hold }] of this.#entries) {
      if (hold !== 'none' && promise(hold) <= now) this.delete(key)
      else this.#noteExpiry(hold)
    }
  }

  #noteExpiry(hold: Hold): void {
    if (typeof hold === 'object') this.#nextExpiryMs = Math.min(this.#nextExpiryMs, hold.untilMs)
  }

  #moveToEnd(key: FragmentKey, entry: Entry): void {
    this.#entries.delete(key)
    this.#entries.set(key, entry)
  }
}

/** Before anything makes way for it in vain. */
function tooBig(bytes: number, maxBytes: number): GatewayError {
  const cause = new RangeError(
    `${bytes} bytes do not fit into cache.maxBytes, which is ${maxBytes}`,
  )
  return new GatewayError('overloaded', 'The fragment is bigger than the whole fragment cache', {
    retryAfterMs: 1000,
    cause,
  })
}

/** Until when a hold promises the bytes, in ms since 1970. */
function promise(hold: Hold): number {
  if (hold === 'listed') return Number.POSITIVE_INFINITY
  return hold === 'none' ? Number.NEGATIVE_INFINITY : hold.untilMs
}

/** A slice keeps all of the memory that it was cut from; counting its own length would be a lie. */
function ownMemory(bytes: Buffer): Buffer {
  if (bytes.buffer.byteLength === bytes.length) return bytes
  const own = Buffer.allocUnsafeSlow(bytes.length)
  bytes.copy(own)
  return own
}
