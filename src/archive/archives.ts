import type { Clock } from '../base/clock.ts'
import { GatewayError } from '../base/errors.ts'
import type { Log } from '../base/log.ts'
import type { PlacedBy } from '../timeline/archive/place.ts'
import { Archive } from './archive.ts'
import { FairPlaces } from './fair-share.ts'
import type { ListRoom, RoomyList } from './list-room.ts'
import type { LiveTail } from './live-tail.ts'
import { type ArchiveRange, rangeName } from './range.ts'
import type { UpstreamRecording } from './upstream-recording.ts'

/** How much of the past may be asked for at once. */
export interface ArchiveLimits {
  /** The longest range, in milliseconds. */
  readonly maxMs: number
  /** The longest of these that a clip may be made of. */
  readonly maxClipMs: number
}

export interface ArchivesOptions {
  readonly clock: Clock
  readonly log: Log
  readonly limits: ArchiveLimits
  readonly tail: LiveTail
  /**
   * What upstream recorded; undefined where the source keeps nothing, so that there is what the stream itself holds.
   */
  readonly recording: UpstreamRecording | undefined
  readonly placedBy: PlacedBy
  /** The room of all lists, of whichever stream. */
  readonly room: ListRoom
  /** How many fragments one list may have, some hundred bytes each, in memory and on the wire. Default 100,000. */
  readonly mostEntries?: number
}

/** How many ranges of one stream there may be at a time. */
const MOST_ARCHIVES = 128
/**
 * How many of them are listed at a time, because ranges that nobody has asked for before cost upstream calls (G17); others
 * wait for their turn.
 */
const MOST_LISTING = 5
/** How many segments all lists of a stream may have together, some 200 bytes each (G18). */
const MOST_ENTRIES = 200_000
/** How long nobody must have asked about a range for it to make room for another one. */
const REPLACEABLE_MS = 30_000
/** How long until it goes by itself. A player that comes back finds the same list made anew. */
const IDLE_MS = 300_000

interface Kept {
  readonly archive: Archive
  /** Who asked for it first. */
  readonly by: string
  /** Its place among all lists of the process. */
  readonly list: RoomyList
  usedMs: number
}

/** Shares the ranges of a stream's past that are being watched, each with all who watch it (G8). */
export class Archives {
  readonly #options: Omit<ArchivesOptions, 'limits'>
  #limits: ArchiveLimits
  /** The ranges by name, the one used longest ago first. */
  readonly #kept = new Map<string, Kept>()
  readonly #listing = new FairPlaces({
    most: MOST_LISTING,
    mostWaiting: { own: 5, all: 50 },
    full: overloaded,
  })
  readonly #life = new AbortController()
  #sweeping = false

  constructor({ limits, ...options }: ArchivesOptions) {
    this.#options = options
    this.#limits = limits
  }

  /** Grants so much from now on. */
  configure(limits: ArchiveLimits): void {
    this.#limits = limits
  }

  /** The longest range of a clip, in milliseconds. */
  get maxClipMs(): number {
    return this.#limits.maxClipMs
  }

  get size(): number {
    return this.#kept.size
  }

  /**
   * Returns the one list of a range, made if need be.
   * @param by who asks, so that places are shared fairly
   * @throws GatewayError `bad_request` for what cannot be a range; `overloaded` when there is no room
   */
  get(range: ArchiveRange, by = ''): Archive {
    const name = rangeName(range)
    const known = this.#kept.get(name)
    if (known === undefined) this.#check(range)
    const kept = known ?? this.#make(name, range, by)
    kept.usedMs = this.#options.clock.now()
    this.#kept.delete(name)
    this.#kept.set(name, kept)
    this.#options.room.use(kept.list)
    return kept.archive
  }

  close(): void {
    this.#life.abort()
    for (const [name] of this.#kept) this.#drop(name)
    this.#options.recording?.close()
  }

  #check({ startMs, endMs }: ArchiveRange): void {
    const { clock } = this.#options
    const { maxMs } = this.#limits
    const nowMs = clock.now()
    if (startMs > nowMs) throw badRange('The start lies in the future.')
    if (endMs !== undefined && endMs <= startMs) throw badRange('The end is not after the start.')
    if ((endMs ?? nowMs) - startMs <= maxMs) return
    throw badRange(`The range is longer than the ${Math.floor(maxMs / 1000)} seconds allowed here.`)
  }

  #make(name: string, range: ArchiveRange, by: string): Kept {
    this.#makeRoom(by)
    const { mostEntries = 100_000, clock, room } = this.#options
    const grown = (): void => {
      if (this.#kept.get(name)?.archive === archive) room.use(list)
    }
    const archive: Archive = new Archive({
      ...this.#options,
      range,
      mostEntries,
      grown,
      inTurn: (signal, work) => this.#listing.hold(by, signal, work),
    })
    const list: RoomyList = {
      get size() {
        return archive.size
      },
      close: () => this.#drop(name),
    }
    void this.#sweep().catch((error: unknown) => {
      if (this.#life.signal.aborted) return
      this.#options.log.error('ranges of the past are not let go of', { error })
    })
    return { archive, by, list, usedMs: clock.now() }
  }

  #makeRoom(by: string): void {
    for (const [name, { archive }] of this.#kept) if (archive.hasFailed) this.#drop(name)
    let entries = [...this.#kept.values()].reduce((sum, { archive }) => sum + archive.size, 0)
    while (this.#kept.size >= MOST_ARCHIVES || entries >= MOST_ENTRIES) {
      const name = this.#replaceable(by)
      const kept = name === undefined ? undefined : this.#kept.get(name)
      if (name === undefined || kept === undefined) throw overloaded()
      entries -= kept.archive.size
      this.#drop(name)
    }
  }

  /**
   * Chooses the range that makes room: the one that was used longest ago, once nobody has asked about it for a while; else
   * one of whoever has most, if that is more than the newcomer will have.
   */
  #replaceable(by: string): string | undefined {
    const nowMs = this.#options.clock.now()
    const [oldest] = this.#kept
    if (oldest !== undefined && nowMs - oldest[1].usedMs >= REPLACEABLE_MS) return oldest[0]
    const byWhom = Map.groupBy(this.#kept, ([, kept]) => kept.by)
    const most = [...byWhom.values()].reduce((a, b) => (b.length > a.length ? b : a), [])
    return most.length > (byWhom.get(by)?.length ?? 0) + 1 ? most[0]?.[0] : undefined
  }

  /** Runs as long as there is anything to let go of; rejects when it is closed meanwhile. */
  async #sweep(): Promise<void> {
    if (this.#sweeping) return
    this.#sweeping = true
    const { clock } = this.#options
    // The one that is being made is kept right after this.
    await Promise.resolve()
    try {
      while (this.#kept.size > 0) {
        await clock.sleep(REPLACEABLE_MS, this.#life.signal)
        for (const [name, { usedMs }] of this.#kept) {
          if (clock.now() - usedMs >= IDLE_MS) this.#drop(name)
        }
      }
    } finally {
      this.#sweeping = false
    }
  }

  #drop(name: string): void {
    const kept = this.#kept.get(name)
    if (kept === undefined) return
    this.#kept.delete(name)
    this.#options.room.leave(kept.list)
    kept.archive.close()
  }
}

/** Says that neither a stream nor its source keeps anything. */
export function noArchive(): GatewayError {
  const detail = 'Nothing is kept of this stream: its source keeps no recording, and it has no dvr.'
  return new GatewayError('bad_request', detail)
}

function badRange(detail: string): GatewayError {
  return new GatewayError('bad_request', detail)
}

function overloaded(): GatewayError {
  const detail = 'Too many ranges of this stream are being watched or looked up.'
  return new GatewayError('overloaded', detail, { retryAfterMs: 2_000 })
}
